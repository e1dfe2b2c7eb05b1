-- The key of the bytes, which is the token where this is empty. Of several transfers to one slot the first that ends wins.
alter table upload_file add column blob text not null default '';

-- One row for each transfer under way: its bytes are to be deleted unless they win.
create table upload_transfer (
    blob text not null primary key,
    token text not null,
    began bigint not null
);
create index upload_transfer_token on upload_transfer (token);

-- What an account has is summed up for each slot that it asks for.
create index upload_file_held on upload_file (account, kept, size);
drop index upload_file_account;
