"""The local web page on which heads are measured, corrected and labelled (extra ``page``)."""
