-- Accounts that an administrator made one too, or could have got into, by a password that they gave it: when, in microseconds.
create table pay_raised (
    account text primary key,
    time bigint not null
);
