-- The one reaction of an account to a post.
create table channel_reaction (
    channel bigint not null,
    item text not null,
    account bigint not null,
    emoji text not null,
    primary key (channel, item, account)
);
create index channel_reaction_account on channel_reaction (account);

-- What is shown of reactions and views: how many.
create table channel_sum (
    channel bigint not null,
    item text not null,
    what text not null, -- an emoji, or '' for views
    count bigint not null,
    primary key (channel, item, what)
);

-- Posts that wait for their time.
create table channel_scheduled (
    id bigint primary key,
    channel bigint not null,
    due bigint not null, -- UTC microseconds
    item text not null,
    author text not null, -- bare address
    segments text not null,
    payload text not null
);
create index channel_scheduled_due on channel_scheduled (due);
create index channel_scheduled_channel on channel_scheduled (channel, due);
