-- Who has an account with the example bank.
create table example_customer (
    address text not null primary key, -- bare address
    number text not null unique,
    name text not null,
    secret bytea not null -- of the authenticator; empty for none
);
