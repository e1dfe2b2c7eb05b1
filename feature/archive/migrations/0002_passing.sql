-- PostgreSQL guesses that few rows have a value (=), and that nearly all do not have it (<>): only with = does it see that this index is short.
drop index archive_entry_hidden;
create index archive_entry_hidden on archive_entry (account, id) where (kind & 2) = 2;
