#include "control/part.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <set>

namespace steer {
namespace {

[[noreturn]] void stop_program(const std::string& sentence) {
    std::fprintf(stderr, "parts: %s\n", sentence.c_str());
    std::abort();
}

}  // namespace

std::vector<Parts::Maker> Parts::in_order(std::vector<Maker> makers,
                                          const std::vector<std::type_index>& made) {
    std::set<std::type_index> there(made.begin(), made.end());
    std::vector<Maker> ordered;
    while (!makers.empty()) {
        const auto next = std::ranges::find_if(makers, [&](const Maker& maker) {
            return std::ranges::all_of(maker.needs,
                                       [&](auto type) { return there.contains(type); });
        });
        if (next == makers.end())
            stop_program("'" + std::string(makers.front().name) +
                         "' needs a part that does not exist, or that needs it, too");
        there.insert(next->type);
        ordered.push_back(std::move(*next));
        makers.erase(next);
    }
    return ordered;
}

Parts::~Parts() {
    while (!all_.empty())
        all_.pop_back();
}

Result<void> Parts::start(std::vector<Maker> makers) {
    std::vector<std::type_index> made;
    std::ranges::transform(by_type_, std::back_inserter(made),
                           [](const auto& entry) { return entry.first; });
    for (const Maker& maker : in_order(std::move(makers), made)) {
        auto part = maker.make(*this);
        makers_.push_back(maker);
        by_type_.emplace(maker.type, part.get());
        all_.push_back(std::move(part));
        if (auto done = all_.back()->start(); !done) return done;
    }
    return {};
}

bool Parts::stop(bool (*wait_for_background)()) {
    for (auto part = all_.rbegin(); part != all_.rend(); ++part)
        (*part)->end();
    const bool is_work_left = !wait_for_background();
    for (auto part = all_.rbegin(); part != all_.rend(); ++part)
        (*part)->stop();
    for (auto part = all_.rbegin(); part != all_.rend(); ++part)
        (*part)->finish();
    std::set<std::type_index> kept;  // and what these need
    while (all_.size() > added_) {
        const Maker& maker = makers_.back();
        const bool is_kept =
            is_work_left && (all_.back()->has_background_work() || kept.contains(maker.type));
        by_type_.erase(maker.type);
        if (is_kept) {
            kept.insert(maker.needs.begin(), maker.needs.end());
            (void)all_.back().release();
        }
        all_.pop_back();
        makers_.pop_back();
    }
    return !is_work_left;
}

}  // namespace steer
