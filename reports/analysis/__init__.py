"""From a covariance to the documents that take an enumeration or a device, and the whole report."""
