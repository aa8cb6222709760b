// Where credentials for Amazon's services come from: all places that its own programs look at, in their
// order.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "store/aws/profiles.h"
#include "store/aws/signature.h"
#include "store/http/http.h"

namespace barman::os {
class ProcessRunner;
}

namespace barman::store {

struct CredentialSettings {
  std::string profile = "default";
  bool profile_asked_for = false;  // on the command line or in our configuration: goes before the environment
  std::string region{};            // for requests to STS
};

// May be used from several threads. Credentials that expire are asked for anew some minutes before.
class CredentialSource {
 public:
  // All outlive the source; `profiles` is copied.
  CredentialSource(CredentialSettings settings, Profiles profiles, Environment environment,
                   HttpTransport& transport, os::ProcessRunner& runner, const Clock& clock);

  // Throws kUsage if there are none anywhere, naming the places; kFailed if a place has some that cannot be
  // had.
  [[nodiscard]] Credentials get();
  // Forgets those that the server called expired.
  void forget();

 private:
  [[nodiscard]] Credentials find();
  [[nodiscard]] std::optional<Credentials> from_environment() const;
  [[nodiscard]] std::optional<Credentials> from_profile(const std::string& profile, int depth);
  [[nodiscard]] std::optional<Credentials> keys_of(const std::string& profile) const;
  [[nodiscard]] Credentials by_role(const std::string& profile, const std::string& role, int depth);
  [[nodiscard]] std::optional<Credentials> by_web_identity(const std::string& profile);
  [[nodiscard]] Credentials by_process(const std::string& command);
  [[nodiscard]] std::optional<Credentials> from_container();
  [[nodiscard]] std::optional<Credentials> from_instance();
  [[nodiscard]] Credentials of_source(const std::string& profile, int depth);
  [[nodiscard]] Credentials ask_sts(const std::vector<std::pair<std::string, std::string>>& parameters,
                                    const Credentials* signed_with);
  [[nodiscard]] std::string role_session_name(const std::string& profile) const;

  const CredentialSettings settings_;
  const Profiles profiles_;
  const Environment environment_;
  HttpTransport& transport_;
  os::ProcessRunner& runner_;
  const Clock& clock_;

  std::mutex mutex_;  // guards credentials_
  std::optional<Credentials> credentials_;
};

}  // namespace barman::store
