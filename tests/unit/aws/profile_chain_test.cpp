#include "aws/profile_chain.hpp"

#include <doctest/doctest.h>
#include <map>
#include <string>
#include <vector>

#include "fakes/test_data.hpp"
#include "unit/aws/profile_vectors.hpp"

using namespace dynabackup;
using namespace dynabackup::aws;
namespace dom = simdjson::dom;
using fakes::sections;
using fakes::sections_of;
using kind = chain_step::kind;

namespace {

// "AccessKey {access_key_id: …}" of the suite in our terms.
chain_step step_of(const dom::element& described) {
  const std::map<std::string_view, kind> kinds{{"AccessKey", kind::access_key},
                                               {"NamedSource", kind::named_source},
                                               {"AssumeRole", kind::assume_role},
                                               {"WebIdentityToken", kind::web_identity},
                                               {"Sso", kind::sso}};
  for (const auto [name, value] : dom::object(described)) {
    REQUIRE_MESSAGE(kinds.contains(name), "a step of an unknown kind: ", name);
    chain_step out{kinds.at(name), "", {}};
    std::string_view text;
    if (value.get(text) == simdjson::SUCCESS) {
      out.values["credential_source"] = std::string(text);
      return out;
    }
    for (const auto setting : dom::object(value)) {
      const std::string prefix = out.what == kind::access_key ? "aws_" : "";
      out.values[prefix + std::string(setting.key)] = std::string(std::string_view(setting.value));
    }
    return out;
  }
  FAIL("a step without a kind");
  return {};
}

const fakes::wordings wordings{
    {"profile must contain `source_profile`", "has a role_arn but neither source_profile nor credential_source"},
    {"profile contained both source_profile and credential_source", "has both source_profile and credential_source"},
    {"profile missing aws_secret_access_key", "lacks aws_secret_access_key"},
    {"profile missing aws_access_key_id", "lacks aws_access_key_id"},
    {"profile `B` did not contain credential information", "profile 'B' holds no credentials"},
    {"profile `A` did not contain credential information", "profile 'A' holds no credentials"},
    {"could not find source profile B referenced from A", "profile 'A' names the source_profile 'B', which does not"},
    {"No profiles were defined", "no profiles are defined"},
    {"profile formed an infinite loop", "form an infinite loop"},
    {"`role_arn` was missing", "has a web_identity_token_file but no role_arn"},
    {"if `sso_role_name` is set, then `sso_account_id` must also be set", "has only one of sso_account_id and"},
    {"if `sso_account_id` is set, then `sso_role_name` must also be set", "has only one of sso_account_id and"},
    {"`sso_region` can only be specified in the [sso-session]", "belong in the [sso-session] section only"},
    {"sso-session named `oops` (referenced by profile `A`)", "profile 'A' names the sso-session 'oops', which does"},
};

profile_set with(sections profiles) {
  profile_set out;
  out.profiles = std::move(profiles);
  return out;
}

}  // namespace

TEST_CASE("profiles resolve as the public assume-role vectors say") {
  const auto path = fakes::public_data("profile/assume-role-tests.json");
  if (!path) return;
  dom::parser parser;
  const dom::element suite = parser.load(path->string());
  int cases = 0;
  const dom::array tests = suite.get_array().value();
  for (const dom::element test : tests) {
    const std::string docs{test["docs"].get_string().value()};
    CAPTURE(docs);
    ++cases;
    profile_set set;
    set.profiles = sections_of(test["input"], "profiles");
    set.sso_sessions = sections_of(test["input"], "sso_sessions");
    const auto resolved = resolve_profile(set, std::string_view(test["input"]["selected_profile"]));
    std::string_view expected_error;
    if (test["output"]["Error"].get(expected_error) == simdjson::SUCCESS) {
      CHECK(resolved.steps.empty());
      CHECK_MESSAGE(resolved.problem.find(fakes::our_words(wordings, expected_error)) != std::string::npos,
                    resolved.problem);
      continue;
    }
    CHECK(resolved.problem == "");
    const dom::array expected = test["output"]["ProfileChain"];
    REQUIRE(resolved.steps.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const chain_step wanted = step_of(expected.at(i));
      CHECK(resolved.steps[i].what == wanted.what);
      CHECK(resolved.steps[i].values == wanted.values);
    }
  }
  CHECK(cases >= 25);
}

TEST_CASE("only a selected profile that says nothing lets the chain go on") {
  CHECK(resolve_profile({}, "default").nothing_set);
  CHECK(resolve_profile(with({{"a", {}}}), "default").nothing_set);
  CHECK(resolve_profile(with({{"default", {{"region", "eu-west-1"}}}}), "default").nothing_set);
  CHECK_FALSE(resolve_profile(with({{"default", {{"aws_access_key_id", "a"}}}}), "default").nothing_set);
  CHECK_FALSE(resolve_profile(with({{"default", {{"role_arn", "r"}, {"source_profile", "b"}}}, {"b", {}}}), "default")
                  .nothing_set);
}

TEST_CASE("an empty value is no credential") {
  const auto resolved =
      resolve_profile(with({{"default", {{"aws_access_key_id", "a"}, {"aws_secret_access_key", ""}}}}), "default");
  CHECK(resolved.problem == "profile 'default' lacks aws_secret_access_key");
}

TEST_CASE("kinds of a profile, the first that applies wins") {
  struct row {
    properties profile;
    kind expected;
  };
  const row rows[] = {
      {{{"aws_access_key_id", "a"}, {"aws_secret_access_key", "b"}}, kind::access_key},
      {{{"aws_access_key_id", "a"}, {"aws_secret_access_key", "b"}, {"credential_process", "p"}}, kind::access_key},
      {{{"aws_access_key_id", "a"}, {"credential_process", "p"}}, kind::credential_process},
      {{{"credential_process", "p"}}, kind::credential_process},
      {{{"login_session", "arn:x"}}, kind::login_session},
      {{{"aws_access_key_id", "a"}, {"aws_secret_access_key", "b"}, {"sso_region", "r"}, {"sso_start_url", "u"}},
       kind::sso},
  };
  for (const auto& r : rows) {
    const auto resolved = resolve_profile(with({{"p", r.profile}}), "p");
    REQUIRE(resolved.steps.size() == 1);
    CHECK(resolved.steps[0].what == r.expected);
    CHECK(resolved.steps[0].profile == "p");
    CHECK(title_of(resolved.steps[0].what) != "");
  }
}

TEST_CASE("a long chain of roles ends, and so does a long loop") {
  sections profiles;
  for (int i = 0; i < 500; ++i) {
    profiles["p" + std::to_string(i)] = {{"role_arn", "r"}, {"source_profile", "p" + std::to_string(i + 1)}};
  }
  profiles["p500"] = {{"aws_access_key_id", "a"}, {"aws_secret_access_key", "b"}};
  CHECK(resolve_profile(with(profiles), "p0").steps.size() == 501);
  profiles["p500"] = {{"role_arn", "r"}, {"source_profile", "p0"}};
  CHECK(resolve_profile(with(profiles), "p0").problem.find("loop at profile 'p0'") != std::string::npos);
}
