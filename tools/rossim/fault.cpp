#include "tools/rossim/fault.h"

#include <algorithm>
#include <stdexcept>

namespace rossim {
namespace {

// What of a path is searched: std::regex uses stack for each character.
constexpr std::size_t kMaxSearched = 200;

constexpr std::string_view kNames[] = {
#define X(kind, text, meaning) text,
    ROSSIM_FAULTS(X)
#undef X
};

}  // namespace

std::string_view fault_name(FaultKind kind) {
    return kNames[static_cast<std::size_t>(kind)];
}

std::optional<FaultKind> find_fault(std::string_view name) {
    const auto* const it = std::find(std::begin(kNames), std::end(kNames), name);
    if (it == std::end(kNames)) return std::nullopt;
    return static_cast<FaultKind>(it - std::begin(kNames));
}

FaultId Faults::inject(Fault fault) {
    std::regex command;
    try {
        command = std::regex(fault.command, std::regex::optimize);
    } catch (const std::regex_error&) {
        throw std::runtime_error("\"" + fault.command + "\" is not a regular expression");
    }
    entries_.push_back({{++last_id_, std::move(fault)}, std::move(command)});
    return last_id_;
}

void Faults::withdraw(FaultId id) {
    std::erase_if(entries_, [id](const Entry& entry) { return entry.view.id == id; });
}

std::vector<FaultView> Faults::views() const {
    std::vector<FaultView> views;
    for (const Entry& entry : entries_)
        views.push_back(entry.view);
    return views;
}

// splitmix64, 53 bits of it.
bool Faults::dice(double probability) {
    if (probability >= 1) return true;
    std::uint64_t z = random_ += 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    z ^= z >> 31;
    return static_cast<double>(z >> 11) * 0x1p-53 < probability;
}

const Fault* Faults::strike(std::string_view command, std::int64_t now_us) {
    const std::string searched(command.substr(0, kMaxSearched));
    for (Entry& entry : entries_) {
        FaultView& view = entry.view;
        const Fault& fault = view.fault;
        if (now_us < fault.from_us || now_us >= fault.until_us) continue;
        if (fault.times != 0 && view.struck >= fault.times) continue;
        if (!std::regex_search(searched, entry.command)) continue;
        if (++view.matched <= fault.skip || !dice(fault.probability)) continue;
        ++view.struck;
        return &fault;
    }
    return nullptr;
}

}  // namespace rossim
