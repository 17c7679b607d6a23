// Entries that the boxes of a fleet share. One object for each kind: rules, names, groups.
//
// An entry has a key, which is the same on all boxes, and a value as JSON. An entry of another box
// is judged like a call of a person: the same checks, the same limits.
//
// Times in values are of the fleet's clock. All on the main thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "matchers/result.h"

namespace steer::shared {

// Sizes in bytes. Longer ones are not shared.
inline constexpr std::size_t kMostKey = 1'024, kMostValue = 4'096;
// Of a kind, with those that were removed in the last days.
inline constexpr std::size_t kMostEntries = 262'144;

struct Entry {
    std::string key;    // one line
    std::string value;  // empty: the entry was removed
    bool operator==(const Entry&) const = default;
};

class Entries {
  public:
    Entries() = default;
    virtual ~Entries() = default;
    Entries(const Entries&) = delete;
    Entries& operator=(const Entries&) = delete;

    // A word for keys of Redis and reports: "rules".
    [[nodiscard]] virtual std::string_view kind() const = 0;
    [[nodiscard]] virtual std::vector<Entry> all() const = 0;
    [[nodiscard]] virtual std::size_t count() const = 0;
    // As a person names it, for a problem: "the rule for ads.example".
    [[nodiscard]] virtual std::string shown(const std::string& key) const = 0;
    // Empty: there is no such entry.
    [[nodiscard]] virtual std::string value_of(const std::string& key) const = 0;
    // Puts or removes an entry as another box has it; an empty `box` is this one. Does not call
    // `on_change`. False: its time is long over, so there is nothing to put. Error: it cannot be in
    // force here; the text says why. It is asked again later.
    virtual Result<bool> take(const Entry& entry, std::string_view box) = 0;
    // Called after each change by a person here.
    void on_change(std::function<void(const std::string& key)> call) { changed_ = std::move(call); }
    // Called when the time of an entry is over.
    void on_end(std::function<void(const std::string& key)> call) { ended_ = std::move(call); }
    // Returns how far the fleet's clock is ahead of this box's, in seconds.
    void set_clock(std::function<std::int64_t()> ahead_s) { ahead_s_ = std::move(ahead_s); }

  protected:
    void changed(const std::string& key) const {
        if (changed_) changed_(key);
    }
    void ended(const std::string& key) const {
        if (ended_) ended_(key);
    }
    [[nodiscard]] std::int64_t ahead_s() const { return ahead_s_ ? ahead_s_() : 0; }

  private:
    std::function<void(const std::string&key)> changed_, ended_;
    std::function<std::int64_t()> ahead_s_;
};

}  // namespace steer::shared
