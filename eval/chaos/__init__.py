"""Whether anything is lost, doubled or stuck while everything that can die does, again and again."""
