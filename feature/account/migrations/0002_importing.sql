-- An account that is being imported is hidden as one that is being removed (removing), and its name does not rest if it is taken back.
alter table account add column importing boolean not null default false;
