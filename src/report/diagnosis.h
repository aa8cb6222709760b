// diagnose: one JSON document for people, in every format.
#pragma once

#include <string>

#include "engine/diagnose/diagnosis.h"

namespace barman::report {

// Indented, keys sorted. With `with_sources`, each option is an object of its value and its source.
std::string diagnosis_text(const engine::Diagnosis& diagnosis, bool with_sources);

}  // namespace barman::report
