-- The carrier heard the answers to these texts. $1 inbound ids. Index: inbound_unheard_pkey.
DELETE FROM smsbridge.inbound_unheard WHERE inbound_id = ANY ($1::uuid[])
