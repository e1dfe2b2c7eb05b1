-- The vCard of an account (XEP-0054), without the photo: that is its avatar.
create table vcard_card (
    account bigint primary key,
    content text not null
);
