-- What an account has with the nodes of others is found when it goes: bare is the subscriber's bare address (none was stored before).
alter table pubsub_subscription add column bare text not null default '';
create index pubsub_subscription_bare on pubsub_subscription (bare);
create index pubsub_affiliation_jid on pubsub_affiliation (jid);
