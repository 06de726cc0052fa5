"""What people see: window, page, figures, report."""
