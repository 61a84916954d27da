"""Reports: tables, plots and pages made of benchmark results."""
