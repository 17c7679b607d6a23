// A part of the daemon, such as the cache, the routers or the control socket.
//
// A part is one class in the folder of its subject. It declares the parts that it needs, its work
// at a start, a reload and an end, and its reports. The daemon (daemon.h) makes each part after
// those that it needs. parts.h lists all parts.
//
// All functions run on the main thread. Only start(), open(), serve(), stop() and finish() may
// wait.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <typeindex>
#include <utility>
#include <vector>

#include "matchers/result.h"

namespace steer {

namespace build {
struct Built;
}
namespace config {
struct Settings;
}
namespace ops {
struct HealthCheck;
class Methods;
class MetricWriter;
}  // namespace ops

// A problem that an operator should solve, shown in `problems` of `status`. The text says what is
// wrong and, after a semicolon, what to do.
struct Problem {
    std::string_view subject;  // "routers"; static
    std::string text;
};
using Problems = std::vector<Problem>;

class Part {
  public:
    Part() = default;
    virtual ~Part() = default;
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;

    // ---- the start, in this order; each step for all parts before the next step. An Error ends
    // the start.

    // Takes resources (memory, ports, addresses) as root. The parts that it needs have started.
    virtual Result<void> start() { return {}; }
    virtual void add_methods(ops::Methods&) {}
    // Opens the sockets for clients of the API. All methods are added by then.
    virtual Result<void> open() { return {}; }
    // Adds folders with cache dumps.
    virtual void add_dump_folders(std::vector<std::string>&) const {}
    // Without privileges: starts threads and periodic work.
    virtual void serve() {}

    // ---- while it serves

    // Called every 100 ms.
    virtual void poll() {}
    // Called after a reload has read its files: loads certificates and keys again. If the
    // configuration is rejected, `built` is nullptr, the present configuration's files are read
    // again, and `settings` may be incomplete. Adds errors to the last argument.
    virtual void read_again(const config::Settings&, const build::Built*, std::vector<Error>&) {}
    // Called before a configuration is published. Keeps everything that the present configuration
    // uses.
    virtual void prepare(const build::Built&) {}
    // Called after the publication. A part moves its own plans out of `built`.
    virtual void follow(const config::Settings&, build::Built&) {}
    // Called when no query of an earlier configuration is pending. Releases what only that
    // configuration used.
    virtual void forget_earlier() {}
    // Starts (true) or ends (false) draining: clients are asked to use another machine.
    virtual void drain(bool) {}

    // ---- reports

    virtual void add_status(boost::json::object&) {}
    virtual void add_counters(boost::json::object&) {}
    virtual void write_metrics(ops::MetricWriter&) {}
    virtual void add_problems(Problems&) {}
    // Adds conditions of /readyz.
    virtual void add_conditions(std::vector<ops::HealthCheck>&) {}

    // ---- the end, in this order; each step for all parts, in reverse order, before the next step.
    // Also after a failed start.

    // Starts no new background work.
    virtual void end() {}
    // Stops threads and connections that give work to other parts. Parts that need this part have
    // stopped.
    virtual void stop() {}
    // Saves or handles what the workers left behind. All parts have stopped.
    virtual void finish() {}
    // Whether background work uses this part. If such work remains at the end, the part and those
    // that it needs are not destroyed, and the process exits without destructors.
    [[nodiscard]] virtual bool has_background_work() const { return false; }
};

// All parts, in the order of their needs.
class Parts {
  public:
    // How to make a part. `needs`: the types of the parts that it declares.
    struct Maker {
        std::string_view name;
        std::type_index type;
        std::vector<std::type_index> needs;
        std::unique_ptr<Part> (*make)(Parts& parts);
    };
    // The maker of a class with kName, Needs (see below), and a constructor that takes Needs.
    template <class P>
    static Maker maker() {
        return {P::kName, typeid(P), P::Needs::types(), [](Parts& parts) -> std::unique_ptr<Part> {
                    return std::make_unique<P>(typename P::Needs(parts));
                }};
    }
    // Sorts makers so that each follows those that it needs; otherwise their order stays. `made`:
    // parts that exist. A missing or circular need is a programming error: aborts with a message.
    static std::vector<Maker> in_order(std::vector<Maker> makers,
                                       const std::vector<std::type_index>& made = {});

    Parts() = default;
    ~Parts();
    Parts(const Parts&) = delete;
    Parts& operator=(const Parts&) = delete;

    // Adds a part without needs. It lives as long as this object, also after stop().
    template <class P>
    P& add(std::unique_ptr<P> part) {
        P& added = *part;
        by_type_.emplace(typeid(P), part.get());
        all_.push_back(std::move(part));
        ++added_;
        return added;
    }
    // Makes and starts the other parts. After an Error, the parts started so far exist.
    Result<void> start(std::vector<Maker> makers);
    // The parts that exist, each after those that it needs.
    [[nodiscard]] const std::vector<std::unique_ptr<Part>>& all() const { return all_; }
    template <class P>
    [[nodiscard]] P& get() const {
        return static_cast<P&>(*by_type_.at(typeid(P)));
    }
    // Returns nullptr if the part does not exist yet.
    template <class P>
    [[nodiscard]] P* find() const {
        const auto at = by_type_.find(typeid(P));
        return at == by_type_.end() ? nullptr : static_cast<P*>(at->second);
    }
    // Calls end(), stop() and finish(), then destroys the parts that start() made. Returns false if
    // background work still runs after `wait_for_background`, which returns whether all work has
    // ended.
    bool stop(bool (*wait_for_background)());

  private:
    std::vector<std::unique_ptr<Part>> all_;
    std::size_t added_ = 0;      // number of added parts, the first ones
    std::vector<Maker> makers_;  // of the other parts
    std::map<std::type_index, Part*> by_type_;
};

// The parts that a part uses: `using Needs = steer::Needs<Workers, Events>;`. It can get only
// these.
template <class... P>
class Needs {
  public:
    explicit Needs(Parts& parts) : parts_(parts), needed_(parts.get<P>()...) {}
    template <class Q>
    [[nodiscard]] Q& get() const {
        return std::get<Q&>(needed_);
    }
    // For reports about all parts.
    [[nodiscard]] const Parts& parts() const { return parts_; }
    static std::vector<std::type_index> types() { return {std::type_index(typeid(P))...}; }

  private:
    Parts& parts_;
    std::tuple<P&...> needed_;
};

}  // namespace steer
