// A model of two boxes of a fleet that write one row of one router: claims, acknowledgements,
// fencing.
//
// Each step is one event of the engine (routeros/router_fleet.cpp, router_write.cpp,
// router_claim.cpp) or of the router. Sessions are FIFO in both directions. Cut sessions lose
// commands, or the router carries one of them out later, without a reply. The router applies one
// command at a time and reports changes to the other box by `listen`. Roles come from outside, so
// two boxes may believe that they are the writer (a paused or partitioned box).
//
// Invariants: a promise is given only if the row is on the router, or the box cannot know yet that
// its session has ended; no write passes its term's writer row; a box that has seen a higher token
// writes nothing; no box removes a row under a claim. Settling: without further faults, the holder
// of the last token writes, no other box does, the claimed row exists, and no answer waits.
//
// Left out: times (rows do not expire), several rows, a fleet without Redis (role `alone`).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace steer::models {

//  name, what is done wrong
#define STEER_WRITER_MISTAKES(X)                                                            \
    X(none, "nothing")                                                                      \
    X(acknowledges_on_send, "promises a row when its add is sent, not when it is answered") \
    X(keeps_rows_over_reconnect, "trusts the rows of the former session after a reconnect") \
    X(writes_before_fence, "writes rows before its writer row is acknowledged")             \
    X(ignores_higher_token, "writes its own token over a higher one")                       \
    X(duplicate_is_success, "takes 'already have such entry' for an acknowledgement")       \
    X(removes_when_deposed, "removes its rows when another box becomes the writer")         \
    X(forgets_waiters, "forgets the answers that wait when another box becomes the writer")

struct WritersModel {
    enum class Mistake : std::uint8_t {
#define STEER_MISTAKE_ENUM(name, text) name,
        STEER_WRITER_MISTAKES(STEER_MISTAKE_ENUM)
#undef STEER_MISTAKE_ENUM
    };
    static constexpr unsigned kBoxes = 2, kCommands = 4, kReplies = 6;

    enum class RowIs : std::uint8_t { none, ours, foreign };
    enum class Link : std::uint8_t { down, reading, in_sync };
    enum class Hold : std::uint8_t { none, waits, promised, ended, forgotten };
    enum class Word : std::uint8_t { none, read, fence_add, fence_set, add, lookup, remove };
    enum class News : std::uint8_t {
        none,
        read_done,
        fence_done,
        fence_refused,
        added,
        duplicate,
        looked_up,
        removed,
        row_changed,    // by `listen`
        fence_changed,  // by `listen`
    };
    struct Command {
        Word word = Word::none;
        std::uint8_t token = 0;
    };
    struct Reply {
        News news = News::none;
        RowIs row = RowIs::none;
        std::uint8_t fence = 0;
    };
    struct Box {
        Link link = Link::down;
        std::uint8_t is_cut = 0;       // the router has closed it; what arrived is still read
        std::uint8_t is_reported = 0;  // `listen` is on
        std::uint8_t is_writer = 0, term = 0;
        std::uint8_t superseded = 0, fenced = 0, may_write = 0;
        std::uint8_t fence_known = 0, fence_news = 0, fence_out = 0;
        RowIs row_known = RowIs::none;
        std::uint8_t add_out = 0;
        std::uint8_t claim = 0;
        Hold hold = Hold::none;
        std::array<Command, kCommands> commands{};
        std::array<Reply, kReplies> replies{};
        Command late{};  // of a former session
    };
    struct State {
        std::array<Box, kBoxes> boxes{};
        RowIs row = RowIs::none;
        std::uint8_t fence = 0, highest_fence = 0;  // 0: no writer row
        std::uint8_t last_token = 0, holder = 0;
        std::uint8_t cuts = 0, reboots = 0, people = 0;  // that may still happen
        std::uint8_t error = 0;
    };

    enum class What : std::uint8_t {
        connect,
        take_command,
        take_late,
        lose_late,
        receive,
        closed,
        share,
        depose,
        elect,
        client,
        sync_timeout,
        cut,
        cut_late,
        reboot,
        person,
    };
    struct Step {
        What what = What::connect;
        std::uint8_t box = 0;
    };
    struct Options {
        Mistake mistake = Mistake::none;
        // `people`: how often a person adds or removes a row of their own in the place
        std::uint8_t elections = 2, cuts = 1, reboots = 1, people = 0;
    };
    explicit WritersModel(const Options& with) : options(with) {}

    template <class F>
    void initial(F&& f) const {
        State s;
        s.cuts = options.cuts;
        s.reboots = options.reboots;
        s.people = options.people;
        f(s);
    }
    template <class F>
    void steps(const State& from, F&& f) const {
        for (unsigned box = 0; box < kBoxes; ++box) {
            for (auto what = static_cast<std::uint8_t>(What::connect);
                 what <= static_cast<std::uint8_t>(What::person); ++what) {
                State to = from;
                const Step step{static_cast<What>(what), static_cast<std::uint8_t>(box)};
                if (take(to, step)) f(step, to);
            }
        }
    }
    bool take(State& s, const Step& step) const;
    [[nodiscard]] const char* broken(const State& s) const;
    [[nodiscard]] bool is_settled(const State& s) const;
    [[nodiscard]] bool settles(const Step& step) const;
    [[nodiscard]] std::string text(const Step& step) const;

    Options options;

  private:
    bool session_step(State& s, What what, unsigned at) const;
    bool fleet_step(State& s, What what, unsigned at) const;
    bool fault_step(State& s, What what, unsigned at) const;
    bool carry_out(State& s, unsigned at, Command command, bool is_late) const;
    void took_reply(State& s, unsigned at, Reply reply) const;
    void check_writer_row(State& s, unsigned at) const;
    void evaluate(State& s, unsigned at) const;
    void promise(State& s, unsigned at) const;
    void stop_writing(State& s, unsigned at) const;
    [[nodiscard]] bool has(Mistake mistake) const {
        return options.mistake == mistake;
    }
};

std::string_view label(WritersModel::Mistake mistake);

}  // namespace steer::models
