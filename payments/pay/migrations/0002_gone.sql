-- Addresses whose account was removed. What they have stays in the books; nobody who gets the name later has a wallet.
create table pay_gone (
    account text primary key,
    time bigint not null
);
