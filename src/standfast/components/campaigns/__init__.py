"""Campaigns from draft to report. Owns the plan and its state machine; promises that every state has an exit, a deadline and a
reason; refuses to send what its pre-flight finds wrong."""
