// What says which tokens a cache keeps, and how, comes with the caches.
@_exported import KVLayout
