"""Reading Excel workbooks without loading them whole. Begin with `workbook`."""
