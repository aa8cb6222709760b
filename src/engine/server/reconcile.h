// The catalogue of an active server and that of its bucket, brought together.
#pragma once

#include "catalog/catalog.h"
#include "engine/server/home.h"

namespace barman::engine {

class Events;

// Sends records that the bucket did not take, and takes in finished backups and keep annotations that others
// put there. Does nothing while a backup or a deletion is running, for a local home, and for a server that is
// not active: what is in its bucket is others'.
void reconcile_with_bucket(const Home& home, catalog::Catalog& catalog, Events& events);

}  // namespace barman::engine
