-- What a key with a PIN has signed since its PIN was last right, in minor units.
create table pay_stepped (
    account text not null,
    key text not null,
    unit text not null,
    spent bigint not null,
    primary key (account, key, unit)
);
