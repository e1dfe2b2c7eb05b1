-- One row for each contact of an account, for each request that waits for an answer, and, for a while, for each contact that was removed.
create table roster_item (
    account bigint not null,
    contact text not null,
    state bigint not null, -- bits of State
    name text not null,
    group_names text not null, -- a JSON list
    ver bigint not null, -- of the last change that the account's devices see
    request text not null, -- the stanza of a request that waits for an answer
    primary key (account, contact)
);

create table roster_version (
    account bigint primary key,
    ver bigint not null, -- of the last change
    floor bigint not null, -- what was removed up to here is forgotten
    untouched boolean not null -- it was imported, and no device has asked for it yet
);

-- What the contacts of removed accounts are still to be told.
create table roster_farewell (
    id bigint primary key,
    stanza text not null
);
