// Explains over the control socket why a name is in a set: `why`, with {"name":
// "www.stream.example"}.
//
// The result: {"name", "people": rules of `control.rules` for the name, "sets": tags of those sets
// of the name that the present program tests,
// "rules": from holding_rules() with effects and zones by transfer, "file": files_state()}. Its own
// thread searches, one question at a time. Lives on the main thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "control/api/rpc/methods.h"
#include "control/cache/cache_methods.h"
#include "control/host/process/background.h"
#include "control/observe/lists/holding_rules.h"
#include "control/program/reload/reloader.h"
#include "matchers/prefix/ip_address.h"

namespace steer {

class WhyService {
  public:
    // The snapshot in force; nullptr before the first one.
    using SnapshotInForce = std::function<const Snapshot*()>;
    // BlockingService::about().
    using RulesOfPeople = std::function<boost::json::array(std::string_view name,
                                                           const std::optional<IpAddress>& client)>;
    // `in_force` must outlive it.
    WhyService(boost::asio::io_context& main_io, ConfigSource source, const SetsInForce& in_force,
               SnapshotInForce snapshot, RulesOfPeople people);
    WhyService(const WhyService&) = delete;
    WhyService& operator=(const WhyService&) = delete;

    void add_methods(ops::Methods& methods);

  private:
    struct Question {
        std::string name;
        std::optional<IpAddress> client;  // of rules of people
        bool shows_people = false;        // to those who may list them
        HoldingPage page{};               // of the rules
    };
    void ask(const Question& question, const ops::RpcDone& done);
    void answer(const Question& question, ops::RpcResult rules, boost::json::object file,
                const ops::RpcDone& done);

    boost::asio::io_context& main_io_;
    const ConfigSource source_;
    const SetsInForce& in_force_;
    const SnapshotInForce snapshot_;
    const RulesOfPeople people_;
    bool is_busy_ = false;
    BackgroundThread thread_{"why"};
};

}  // namespace steer
