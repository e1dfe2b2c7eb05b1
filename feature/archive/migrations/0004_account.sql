-- only: sqlite
-- Where an account's messages are, written late as archive_contact is and for the same reason: what a message waits for is then only that it is
-- written at the end of the log.
create table archive_account (
    account bigint not null,
    id bigint not null,
    primary key (account, id)
) without rowid;
insert into archive_account (account, id) select account, id from archive_entry order by account, id;
drop index archive_entry_account;
-- only: end
