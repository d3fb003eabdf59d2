// A network that follows a script: expects requests in order, answers each as staged, and fails the test when
// something else is asked or when anything staged is left over.
#pragma once
#include <deque>
#include <doctest/doctest.h>
#include <exception>
#include <functional>
#include <string>

#include "dynabackup/transport.hpp"

namespace dynabackup::fakes {

class scripted_transport final : public transport {
 public:
  ~scripted_transport() override { CHECK_MESSAGE(script_.empty(), "staged exchanges were never asked for"); }

  /// The next request must satisfy `check` (which makes its own CHECKs); it is answered with `status` and `body`.
  void expect(std::function<void(const request&)> check, int status, std::string body,
              std::vector<header> headers = {}) {
    script_.push_back({std::move(check), {status, std::move(headers), std::move(body), {}}, nullptr});
  }
  void expect_answer(std::function<void(const request&)> check, response answer) {
    script_.push_back({std::move(check), std::move(answer), nullptr});
  }
  /// The next request brings no answer.
  void expect_failure(std::function<void(const request&)> check, std::exception_ptr what) {
    script_.push_back({std::move(check), {}, std::move(what)});
  }

  task<response> send(request& r) override {
    ++requests;
    REQUIRE_MESSAGE(!script_.empty(), "unexpected request: " << r.method << " " << r.target);
    exchange next = std::move(script_.front());
    script_.pop_front();
    if (next.check) next.check(r);
    if (next.failure) std::rethrow_exception(next.failure);
    next.answer.body.reserve(next.answer.body.size() + response::body_padding);
    co_return std::move(next.answer);
  }

  int requests = 0;

 private:
  struct exchange {
    std::function<void(const request&)> check;
    response answer;
    std::exception_ptr failure;
  };
  std::deque<exchange> script_;
};

}  // namespace dynabackup::fakes
