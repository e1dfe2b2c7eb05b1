-- A link with which the owner of an account sets a new password, made by an administrator. One for each account.
create table register_password (
    account bigint primary key,
    token bytea not null unique, -- SHA-256 of it
    name text not null, -- of the account
    expires bigint not null
);
