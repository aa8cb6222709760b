// Becoming the user that everything belongs to.
#pragma once

#include <string>

namespace barman::cli {

// Gives up the rights of the present user for those of `name`, supplementary groups and HOME included;
// nothing to do if we are that user. Throws kUsage if there is no such user, kRefused if we may not.
void become_user(const std::string& name);

}  // namespace barman::cli
