// Credentials from the agent beside a container: ECS tasks, EKS Pod Identity, Greengrass (AWS SDKs and Tools Reference
// Guide, "Container credential provider").
#pragma once
#include <optional>
#include <string>

#include "aws/credentials.hpp"
#include "dynabackup/settings.hpp"
#include "dynabackup/transport.hpp"
#include "runtime/clock.hpp"

namespace dynabackup::aws {

/// Where the agent listens. Only over TLS or at an address of this machine and of AWS's agents: whoever sets the
/// variable must not have the token sent anywhere else.
struct container_place {
  origin where;
  std::string target;
};
/// By AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, else by …_FULL_URI, of which one is set. usage_error.
container_place container_place_of(const std::optional<std::string>& relative_uri,
                                   const std::optional<std::string>& full_uri);

class container_credentials final : public credential_source {
 public:
  container_credentials(credential_settings settings, transport& network, runtime::clock& clock);
  /// Whether the environment names an agent at all.
  static bool is_configured(const credential_settings& settings);
  task<credentials> fetch() override;

 private:
  [[nodiscard]] std::string authorization() const;
  credential_settings settings_;
  transport& network_;
  runtime::clock& clock_;
};

}  // namespace dynabackup::aws
