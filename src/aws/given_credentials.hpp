// Credentials that are what they are: for a call that must not set off a search for others.
#pragma once
#include <utility>

#include "aws/credentials.hpp"

namespace dynabackup::aws {

class given_credentials final : public credential_provider {
 public:
  explicit given_credentials(credentials who) : who_(std::move(who)) {}
  task<credentials> current() override { co_return who_; }

 private:
  credentials who_;
};

}  // namespace dynabackup::aws
