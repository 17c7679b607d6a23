// The product's side of a case: its configuration loaded and built, its executor driven as a worker drives it, with
// plans, the entry that the burst's lookup found, and plain hits. One for many cases: what they share is what a
// worker keeps over reloads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dataplane/answer/policy_zone.h"
#include "differential/case.h"

namespace steer::differential {

class Product {
  public:
    Product();
    ~Product();
    Product(const Product&) = delete;
    Product& operator=(const Product&) = delete;

    // The errors of the configuration. None: it is in force, and the cache is empty.
    std::vector<std::string> load(const std::string& yaml);
    // In the folder that configurations' paths start from.
    void put_file(const std::string& name, const std::string& content);
    // The policy zone of a secondary, and the target names of such zones. The caller keeps what it
    // publishes.
    std::shared_ptr<LivePolicy> live_policy(const std::string& tag);
    std::shared_ptr<LiveTargets> live_targets();
    Outcome ask(const Question& question);
    // Milliseconds, of the question asked last or, before that, of the load.
    [[nodiscard]] std::uint64_t now_ms() const;
    [[nodiscard]] unsigned plain_hits() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace steer::differential
