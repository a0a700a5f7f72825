"""What people read: page, pictures, table, words."""
