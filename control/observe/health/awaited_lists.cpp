#include "control/observe/health/awaited_lists.h"

namespace steer {
namespace {

std::set<std::string> needed(std::span<const config::ReadList> lists) {
    std::set<std::string> sources;
    for (const config::ReadList& list : lists) {
        if (!list.loaded && list.use.ready) sources.insert(list.source);
    }
    return sources;
}

}  // namespace

void AwaitedLists::begin(std::span<const config::ReadList> lists) {
    sources_ = needed(lists);
}

void AwaitedLists::follow(std::span<const config::ReadList> lists) {
    if (sources_.empty()) return;
    const std::set<std::string> now = needed(lists);
    std::erase_if(sources_, [&](const std::string& source) { return !now.contains(source); });
}

std::string AwaitedLists::error() const {
    std::string all;
    for (const std::string& source : sources_)
        all += (all.empty() ? "never fetched: " : ", ") + source;
    return all;
}

}  // namespace steer
