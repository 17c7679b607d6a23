// The running router behind Router: time, connections, the CPU, and the reports to `listen`.
// Commands (commands.h) act on it.
//
// Everything happens in run_event(), in order of time: rows expire, the router starts, bytes
// arrive, a CPU slice ends, bytes leave. Nothing changes between events.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/rossim/conntrack.h"
#include "tools/rossim/cpu.h"
#include "tools/rossim/device.h"
#include "tools/rossim/outgoing.h"
#include "tools/rossim/query.h"
#include "tools/rossim/records.h"
#include "tools/rossim/router.h"
#include "tools/rossim/sentence.h"

namespace rossim {

struct Session {
    Session(SessionId number, std::string_view from, bool is_tls, std::size_t max_word_bytes)
        : id(number), client(from), tls(is_tls), reader(max_word_bytes) {}

    SessionId id;
    std::string client;
    bool tls;
    WordReader reader;
    std::shared_ptr<const User> user;  // none: not logged in
    std::int64_t since_ns = 0;
    std::string challenge;  // below 6.43: the challenge for the client
    bool login_in_progress = false;
    bool surplus = false;              // one above max_sessions; it ends at its first sentence
    std::deque<Sentence> after_login;  // arrived during the login
    std::size_t bytes_before_login = 0;
    std::size_t sentences_before_login = 0;
};

// A `listen`, or a print with `follow`.
struct Listener {
    SessionId session = 0;
    std::optional<std::string> tag;
    Family family = Family::ipv4;
    std::vector<std::string> proplist;
    Query query;
    std::string menu{};  // of a table of `records`; empty: the address lists of `family`
};

class Machine {
  public:
    Machine(Options options_given, Journal journal);

    std::optional<SessionId> open(std::string_view client, bool tls);
    void feed(SessionId session, std::string_view bytes);
    void close(SessionId session);

    void advance(std::int64_t now_us);
    std::optional<std::int64_t> next_event_us() const;
    std::vector<Output> take_output();

    void reboot(std::int64_t down_us);
    // `for_us` 0: until resume().
    void hang(std::int64_t for_us);
    void resume();
    bool is_hung() const { return hung_; }

    // Functions for the commands.
    Session* find_session(SessionId id);
    void send(SessionId session, std::string bytes, bool close = false);
    // Sends `!trap` and `!done`.
    void send_trap(SessionId session, const std::optional<std::string>& tag, const Trap& trap);
    void fail(Session& session, std::string_view reason);  // sends `!fatal`, ends the session
    void break_off(SessionId session);                     // resets the connection and ends
    // Keeps the bytes for the session until end_capture().
    void begin_capture(SessionId session) { captured_session_ = session; }
    std::string end_capture();
    // Runs the action after the present event.
    void after_event(std::function<void()> action) { after_event_.push_back(std::move(action)); }
    void login_over(Session& session);
    void listen(Listener listener) { listeners_.push_back(std::move(listener)); }
    // Cancels the sentence with that tag, or all of the session's but `keep`. Returns their tags;
    // `!done` must still be sent for them.
    std::vector<std::optional<std::string>> cancel(SessionId session,
                                                   const std::optional<std::string>& tag,
                                                   const std::optional<std::string>& keep);
    std::int64_t uptime_s(std::int64_t now_us) const;
    std::int64_t admission_cost(std::int64_t cost_us);

    const Report& counted();  // the report, up to date
    void reset_report();

    Conntrack& conntrack(Family family) { return conntracks_[family == Family::ipv4 ? 0 : 1]; }

    Options options;
    Report report;  // read it through counted()
    Device device;
    Records records;
    Faults faults;
    Cpu cpu;
    std::map<SessionId, Session> sessions;
    std::optional<std::int64_t> up_at_us;  // the router is down until then
    std::int64_t now_us = 0;
    std::uint64_t last_background_script = 0;

  private:
    struct Parcel {
        std::int64_t due_us;
        SessionId session;
        std::string bytes;
    };

    struct Notice {
        SessionId session;
        std::optional<std::string> tag;
        std::string bytes;
    };
    class TellJob;

    void run_event(std::int64_t at_us);
    void receive(SessionId id, std::string_view bytes);
    void accept(Session& session, Sentence sentence);
    std::unique_ptr<Job> job_for(Session& session, Sentence sentence);
    void wake();
    void tell_listeners(Family family, const Row* before, const Row* after);
    void tell_listeners(std::string_view menu, Change change, const Record& record);
    void give_lease_rows(std::string_view menu, std::uint64_t id, const Record* record);
    void note_route(Family family, Change change, const Record& record);
    void tell(const Listener& listener, std::string bytes);
    void end_session(SessionId session);

    std::deque<Parcel> inbox_;
    Outgoing outgoing_;
    Conntrack conntracks_[2];
    SessionId captured_session_ = 0;
    std::string captured_;
    std::vector<std::function<void()>> after_event_;
    std::vector<Listener> listeners_;
    std::deque<Notice> notices_;  // not yet charged
    bool telling_ = false;        // a TellJob exists
    SessionId last_session_ = 0;
    bool hung_ = false;
    std::optional<std::int64_t> resume_at_us_;
    std::int64_t booted_us_;
    std::int64_t tokens_ = 0;  // for the throttle
};

// Makes the job of a sentence that a fault struck: it costs the same CPU time, and ends with the
// fault. For trap, reset, hang with `applied`, hang_in_reply and reboot (faulty_job.cpp).
std::unique_ptr<Job> make_faulty(Machine& machine, const Fault& fault, std::unique_ptr<Job> job);

}  // namespace rossim
