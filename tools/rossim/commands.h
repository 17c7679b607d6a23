// Makes the job that executes a sentence: for the address lists in rows.cpp, for all others in
// commands.cpp.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/rossim/machine.h"

namespace rossim {

// The printed properties of an address-list row at a moment.
class RowProperties : public Properties {
  public:
    RowProperties(const Row& row, std::int64_t now_us, Version version)
        : row_(row), now_us_(now_us), version_(version) {}
    std::optional<std::string_view> property(std::string_view name,
                                             std::string& scratch) const override;

  private:
    const Row& row_;
    std::int64_t now_us_;
    Version version_;
};

// Appends one `!re`. An empty proplist means all properties.
void append_row(std::string& out, const Machine& machine, const std::optional<std::string>& tag,
                const Row& row, const std::vector<std::string>& proplist);
void append_record(std::string& out, const Machine& machine, const std::optional<std::string>& tag,
                   const Record& record, const std::vector<std::string>& proplist);
void append_dead(std::string& out, const Machine& machine, const std::optional<std::string>& tag,
                 std::uint64_t id);

// Returns the sentence's job; nullptr if it was answered at once.
std::unique_ptr<Job> make_job(Machine& machine, Session& session, Sentence sentence);

std::optional<Family> address_list_family(std::string_view menu);
bool is_row_write(std::string_view verb);
// Returns the cost of the rows of a write, without its base.
std::int64_t write_cost(const Costs& costs, const Sentence& sentence);
// Executes add, set, remove, enable, disable or comment; `add` returns the id. Throws Trap.
std::optional<std::string> write_rows(Machine& machine, Family family, const Sentence& sentence,
                                      std::int64_t now_us);

// Returns the job of a sentence to an address-list menu. The session is logged in.
std::unique_ptr<Job> make_row_job(Machine& machine, const Session& session, Family family,
                                  Sentence sentence);

// The client of a job, stored with the job because a session may end first.
struct Caller {
    Machine& machine;
    SessionId session;
    std::shared_ptr<const User> user;
    std::optional<std::string> tag;

    void require(std::string_view policy) const;  // throws Trap
    void require_files() const;
    void done(std::string before = {}, const std::optional<std::string>& ret = {}) const;
};

// Returns true for the sentences that make_script_job() accepts: /system/script/run, /execute and
// /import (script_job.cpp).
bool runs_script(const Sentence& sentence);
// Throws Trap.
std::unique_ptr<Job> make_script_job(const Sentence& sentence, Caller caller);

// The arguments of a print that change its answer; the others only affect a terminal.
struct PrintArguments {
    explicit PrintArguments(const Sentence& sentence);

    std::vector<std::string> proplist;
    bool count_only = false;
    bool follow = false;
    bool follow_only = false;
};

}  // namespace rossim
