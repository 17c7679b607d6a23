// Tests a RouterOS version's undocumented behaviour (findings.h), on rows of a list that has no
// other use.
//
// One sentence at a time: the owner sends it at a suitable time and reports its end. About 24
// sentences in total; two of them print the list. Its rows are timed (30 s, 55 s, 2 s), except a
// row whose timeout is then set, and a row that timeout=0s may make permanent. At the end, it
// removes each row by its id, even if a question was refused. At the beginning, it removes rows
// without timeout that an aborted probe left. These may belong to another writer's running probe,
// so it removes only those that still exist after 10 s. Foreign rows are never written, in any
// list. No I/O, no clock.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "routeros/commands.h"
#include "routeros/findings.h"
#include "routeros/session.h"

namespace steer::routeros {

inline constexpr std::string_view kProbeList = "steerdns-probe";
inline constexpr std::string_view kProbeComment = "steerdns probe, may be removed";

class Probe {
  public:
    struct Ask {
        bool questions = true;  // false: only removes left-over rows
        bool listens = false;   // dead() gets removals that listen reports in the IPv4 menu
    };
    explicit Probe(Ask ask) : ask_(ask) {}

    // The next sentence. No value: a reply is due, ready_ms() is not reached, or the probe has
    // finished.
    std::optional<Command> next(std::uint64_t now_ms);
    // Whether next()'s sentence is a print, which takes the router longer.
    [[nodiscard]] bool reads() const;
    void row(const ReplyRow& row, std::uint64_t now_ms);
    void ended(const Ending& ending, std::uint64_t now_ms);
    // listen reported that this row of the IPv4 menu was removed. Returns true if the probe waited
    // for it.
    bool dead(RowId id);

    // The time of next()'s next sentence; UINT64_MAX: a reply must arrive first.
    [[nodiscard]] std::uint64_t ready_ms() const { return waits_ ? UINT64_MAX : ready_ms_; }
    [[nodiscard]] bool finished() const { return !waits_ && step_ >= steps(); }
    // Whether every question was sent; if not, error() has the reason.
    [[nodiscard]] bool complete() const { return finished() && error_.empty(); }
    [[nodiscard]] const std::string& error() const { return error_; }
    // Whether a row without timeout may stay on the router if the probe is dropped now, or has
    // finished.
    [[nodiscard]] bool leaves_rows() const;
    [[nodiscard]] const Findings& findings() const { return findings_; }

  private:
    // Its rows, by purpose.
    enum Spot : std::uint8_t {
        kBrief,
        kStatic,
        kZero,
        kFirst,
        kMissing,
        kThird,
        kSix,  // in the IPv6 menu
        kDuplicate,
        kLong,
        kLong6,  // in the IPv6 menu
        kNoList,
        kSpots,
        kNone = kSpots
    };
    struct Seen {  // a row of the list
        RowId id = 0;
        bool ours = false, dynamic = false;
        std::optional<std::uint64_t> timeout_s{};
        unsigned last_byte = 0;  // of a probe's address; 0: another address
        std::uint64_t at_ms = 0;
    };
    struct Step {
        std::optional<Command> (Probe::*ask)(Spot);  // no value: the step is not needed
        void (Probe::*judge)(Spot, const Ending&);
        Spot spot;
        bool reads;
    };
    static const Step kScript[];
    static std::size_t steps();
    static std::size_t clean_up_step();

    [[nodiscard]] Address address(Spot spot) const;
    [[nodiscard]] static Menu menu(Spot spot);
    [[nodiscard]] Command add(Spot at, std::string_view timeout) const;
    [[nodiscard]] const Seen* find(Spot spot) const;
    void choose_addresses();
    void give_up(std::string_view why);
    void note(Question question, Answer answer, std::string_view text = {});

    std::optional<Command> ask_resource(Spot);
    std::optional<Command> ask_rows(Spot);
    std::optional<Command> ask_rows_again(Spot);
    std::optional<Command> ask_remove_left_over(Spot);
    std::optional<Command> ask_add(Spot spot);
    std::optional<Command> ask_static_timeout(Spot);
    std::optional<Command> ask_remove(Spot spot);
    std::optional<Command> ask_set_several(Spot);
    std::optional<Command> ask_remove_several(Spot);
    std::optional<Command> ask_again(Spot spot);
    std::optional<Command> ask_no_list(Spot spot);
    std::optional<Command> ask_execute(Spot);
    std::optional<Command> await_brief(Spot);
    std::optional<Command> ask_brief(Spot);

    void judge_nothing(Spot, const Ending&) {}
    void judge_left_over(Spot, const Ending&);
    void judge_still_there(Spot, const Ending&);
    void judge_left_over_removed(Spot, const Ending&);
    void judge_add(Spot spot, const Ending& ending);
    void judge_static_timeout(Spot, const Ending& ending);
    void judge_missing_removed(Spot, const Ending& ending);
    void judge_set_several(Spot, const Ending& ending);
    void judge_remove_several(Spot, const Ending& ending);
    void judge_again(Spot spot, const Ending& ending);
    void judge_no_list(Spot spot, const Ending& ending);
    void judge_execute(Spot, const Ending& ending);
    void judge_rows(Spot, const Ending& ending);
    void judge_brief(Spot, const Ending&);
    void judge_clean_up(Spot spot, const Ending& ending);
    [[nodiscard]] bool is_late() const;
    [[nodiscard]] std::optional<bool> was_prolonged(Spot spot) const;

    Ask ask_;
    std::size_t step_ = 0;
    bool waits_ = false;  // for a reply
    std::uint64_t ready_ms_ = 0, now_ms_ = 0;
    std::string error_;
    Findings findings_;

    unsigned block_ = 0;  // the first unused block of addresses
    std::array<RowId, kSpots> ids_{};
    std::array<std::uint64_t, kSpots> sent_ms_{};
    std::uint64_t asked_ms_ = 0, began_ms_ = 0;
    std::vector<RowId> left_over_;
    std::vector<Seen> rows_;
    bool gave_up_ = false, static_set_ = false, is_missing_ = false, first_was_removed_ = false,
         brief_is_late_ = false;
    std::optional<std::string> set_message_, remove_message_;  // empty: success, without a trap
};

}  // namespace steer::routeros
