create table account (
    id bigint primary key, -- also when it was made: microseconds since 1970, UTC
    name text not null unique, -- local part, prepared by RFC 7622
    role text not null, -- admin or member
    disabled boolean not null,
    removing boolean not null, -- its data is being deleted; nobody finds it any more
    seen bigint not null -- start of the day of the last session, 0 for never
);

create table account_credential (
    account bigint not null,
    hash text not null,
    salt bytea not null,
    iterations bigint not null,
    stored_key bytea not null,
    server_key bytea not null,
    primary key (account, hash)
);

create table account_gone (
    name text primary key,
    removed bigint not null
);
