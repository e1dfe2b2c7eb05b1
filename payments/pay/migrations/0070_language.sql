-- In which language people are told things, as of BCP 47: that of what they have last sent.
create table pay_language (
    account text primary key,
    language text not null
);
