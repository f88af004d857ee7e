"""Accounts (tenants), users, memberships and sign-in. Owns who may enter; promises that a membership is checked for every
request; refuses default passwords: the first user is made through a one-time link."""
