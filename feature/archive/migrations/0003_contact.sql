-- only: sqlite
-- Where an account's messages with a contact are. An index would change one more page for every message, on the way to its
-- acknowledgement; these rows are written later, many at once (filing.go). All entries up to the number in archive_filed are here.
create table archive_contact (
    account bigint not null,
    contact bigint not null,
    id bigint not null,
    primary key (account, contact, id)
) without rowid;
insert into archive_contact (account, contact, id) select account, contact, id from archive_entry order by account, contact, id;
create table archive_filed (upto bigint not null);
insert into archive_filed (upto) select coalesce(max(id), 0) from archive_entry;
drop index archive_entry_contact;
-- only: end
