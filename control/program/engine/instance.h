// One process of the engine: its configuration, its start, its log, its end.
//
// It is started again at its end: at once the first time and after a run of 30 s, then after 1 s, 2,
// up to 30. It is up once its control socket answers. One that does not answer for kMostSilence is killed.
//
// Main thread; nothing here waits.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "control/host/process/restart_backoff.h"
#include "control/program/engine/engine.h"
#include "dataplane/port/descriptor.h"
#include "matchers/result.h"

namespace steer::recursion {

// A started process. Tests use another EngineStarter.
struct StartedEngine {
    pid_t pid = 0;
    Descriptor end;     // a pidfd
    Descriptor output;  // its standard output and error
};
struct EngineStart {
    int config = -1;                   // a descriptor of its configuration
    std::uint64_t most_bytes = 0;      // of its address space
    std::string folder;                // its own, where it writes; empty: none
    std::vector<std::string> files{};  // that its settings name
};
class EngineStarter {
  public:
    virtual Result<StartedEngine> start(const EngineStart& how) = 0;
    virtual void kill(pid_t pid) = 0;

  protected:
    ~EngineStarter() = default;
};

class Instance {
  public:
    static constexpr std::chrono::seconds kMostSilence{15}, kPollEvery{2};
    static constexpr std::chrono::milliseconds kUpEvery{50};

    class Owner {
      public:
        virtual void is_up_changed(const Instance& instance) = 0;
        // About the process: "it ended: exit code 1: …; it is started again in 2 s".
        virtual void tell(const Instance& instance, bool is_warning, const std::string& text) = 0;
        // It reads its configuration again, and has done so: it has lost what commands had set.
        virtual void settings_taken(const Instance& instance) = 0;
        virtual void take_line(const Instance& instance, const LogLine& line) = 0;

      protected:
        ~Owner() = default;
    };

    // `number`: of its plugin's instances. `place`: of its folder, which exists.
    Instance(boost::asio::io_context& io, Owner& owner, EngineStarter& starter, unsigned number,
             unsigned place, std::string folder);
    ~Instance();
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;

    // Its settings, from the first on. A change is taken over without a restart and with its cache,
    // if the engine can; the size of its cache or its port need a restart.
    void configure(const config::Recursion& settings);
    void start();
    void stop();
    // Ends it until the next start(), because of `why`.
    void hold(const std::string& why);
    // Ends it, to be started again at once.
    void replace();
    // Its program was replaced since it started.
    void mark_old() { is_old_ = life_ != nullptr; }
    [[nodiscard]] bool is_old() const { return is_old_; }

    [[nodiscard]] unsigned place() const { return place_; }
    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] bool is_up() const { return is_up_; }
    [[nodiscard]] pid_t pid() const;  // 0: it does not run
    [[nodiscard]] const EngineCounts& counts() const { return counts_; }
    // What it may have of memory, all of its address space.
    [[nodiscard]] std::uint64_t most_bytes() const;
    [[nodiscard]] std::uint64_t restarts() const { return restarts_; }
    [[nodiscard]] const std::string& error() const { return error_; }  // empty: it runs
    [[nodiscard]] std::string control_socket() const;

  private:
    struct Life;
    using LifePtr = std::shared_ptr<Life>;

    [[nodiscard]] std::string config_path() const;
    [[nodiscard]] Result<void> write_config(int file) const;
    void begin();
    void begin_after(std::chrono::milliseconds pause);
    void await_end();
    void read_output();
    void take_output(std::size_t count);
    void take_last_output();
    void poll();
    void ask_after(std::chrono::milliseconds pause);
    void answered(bool is_there, const std::string& answer);
    void ended();
    void fail(const std::string& why, std::chrono::milliseconds lived);
    void set_up(bool is_up);
    template <class Then>
    auto in_this_life(Then then);

    boost::asio::io_context& io_;
    Owner& owner_;
    EngineStarter& starter_;
    const unsigned number_, place_;
    const std::string folder_;
    std::uint16_t port_ = 0;
    std::uint64_t cache_bytes_ = 0;
    EngineConfig config_;
    std::vector<std::string> files_;
    EngineCounts counts_;
    std::string error_, last_line_;
    std::uint64_t restarts_ = 0;
    RestartBackoff backoff_;
    bool is_wanted_ = false, is_up_ = false, is_replaced_ = false, is_old_ = false;
    bool has_root_anchor_ = false;
    bool is_behind_ = false;  // it runs with an earlier configuration
    LifePtr life_;            // nullptr: it does not run
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
    struct Timers;
    std::unique_ptr<Timers> timers_;
};

}  // namespace steer::recursion
