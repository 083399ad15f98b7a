"""The log refuses to lose what a mailbox holds, without a look-up for every entry that is made.

Revision 0003. A foreign key asks whether the row is there each time an entry or a receipt is
added: a quarter of what PostgreSQL did for a message, to confirm what the same statement had just
written. Only taking rows away can break it, so that is where it is looked at now. The rows that
count for each mailbox and reader are overwritten in place, with room left on each page.

``delivery.joined`` tells from where on a reader has had to do with a mailbox, ``log.agency_id``
whose author it was: what a receipt may say of its reader depends on both.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Guard deletes instead of inserts, and keep what receipts depend on."""
    op.execute("alter table mailbox_entry drop constraint mailbox_entry_log_id_fkey")
    op.execute("alter table receipt drop constraint receipt_log_id_fkey")
    op.execute(
        """
        create function psn_log_row_gone() returns trigger language plpgsql as $$
        begin
            if exists (select from gone join mailbox_entry e on e.log_id = gone.id) then
                raise foreign_key_violation using
                    message = 'a mailbox still holds this row of the log',
                    hint = 'Take the entries out of the mailboxes first.';
            end if;
            delete from receipt using gone where receipt.log_id = gone.id;
            return null;
        end
        $$
        """
    )
    op.execute(
        """
        create trigger log_row_gone after delete on log
        referencing old table as gone
        for each statement execute function psn_log_row_gone()
        """
    )
    op.execute(
        """
        create function psn_log_emptied() returns trigger language plpgsql as $$
        begin
            if exists (select from mailbox_entry) then
                raise foreign_key_violation using
                    message = 'mailboxes still hold rows of the log',
                    hint = 'Take the entries out of the mailboxes first.';
            end if;
            return null;
        end
        $$
        """
    )
    op.execute(
        """
        create trigger log_emptied before truncate on log
        for each statement execute function psn_log_emptied()
        """
    )
    op.execute("alter table delivery add column joined bigint not null default 0")
    op.execute("alter table log add column agency_id integer")
    op.execute(
        """
        update log set agency_id = coalesce(
            (select agency_id from person where log.author = 'person:' || id),
            (select agency_id from unit where log.author = 'unit:' || id))
         where kind = 'message'
        """
    )
    op.execute("alter table mailbox set (fillfactor = 50)")
    op.execute("alter table delivery set (fillfactor = 50)")


def downgrade() -> None:
    """The foreign keys again."""
    op.execute("alter table delivery reset (fillfactor)")
    op.execute("alter table mailbox reset (fillfactor)")
    op.execute("alter table log drop column agency_id")
    op.execute("alter table delivery drop column joined")
    op.execute("drop trigger log_emptied on log")
    op.execute("drop function psn_log_emptied()")
    op.execute("drop trigger log_row_gone on log")
    op.execute("drop function psn_log_row_gone()")
    op.execute(
        "alter table receipt add constraint receipt_log_id_fkey"
        " foreign key (log_id) references log on delete cascade"
    )
    op.execute(
        "alter table mailbox_entry add constraint mailbox_entry_log_id_fkey"
        " foreign key (log_id) references log"
    )
