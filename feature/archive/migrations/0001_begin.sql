-- One row for each message of each account: the account's log. The id is the order and the time (UTC microseconds).
-- contact is a number made from the bare address of the other end. kind holds the bits of archive.kind.

-- only: sqlite
-- The id is the rowid and so the last part of every index.
create table archive_entry (
    id integer primary key,
    account bigint not null,
    contact bigint not null,
    kind bigint not null,
    stanza text not null
);
create index archive_entry_account on archive_entry (account);
create index archive_entry_contact on archive_entry (account, contact);
-- only: postgres
create table archive_entry (
    id bigint not null,
    account bigint not null,
    contact bigint not null,
    kind bigint not null,
    stanza text not null
);
create unique index archive_entry_account on archive_entry (account, id);
create index archive_entry_contact on archive_entry (account, contact, id);
-- only: end

-- What an account wants archived (XEP-0441). jids are one address a line.
create table archive_preference (
    account bigint primary key,
    fallback text not null,
    always text not null,
    never text not null
);

-- How far an account's incoming messages have reached one of its devices.
create table archive_cursor (
    account bigint primary key,
    reached bigint not null
);

-- The few entries that are kept only until they reach a device.
create index archive_entry_hidden on archive_entry (account, id) where (kind & 2) <> 0;
