#include "control/sources/rules/rule_service.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <string_view>
#include <utility>

#include "control/config/report.h"
#include "control/sources/rules/rule_file.h"
#include "control/sources/rules/rule_pages.h"
#include "control/sources/rules/rule_text.h"
#include "dataplane/dns/name.h"
#include "matchers/list/lines.h"
#include "matchers/quote.h"

namespace steer::rules {
namespace asio = boost::asio;
namespace json = boost::json;

struct RuleService::Outcome {
    Result<BoundedChange> changed;
    Stamp stamp;
};

namespace {

using ops::bad_params;
using ops::RpcCode;
using ops::RpcError;

constexpr ops::Piece kRules = ops::Piece::pages(10'000);

Result<std::vector<RuleChange>> changes_of(const std::vector<std::string>& add,
                                           const std::vector<std::string>& remove) {
    std::vector<RuleChange> out;
    out.reserve(add.size() + remove.size());
    for (const auto* const texts : {&add, &remove}) {
        for (const std::string& text : *texts) {
            auto change = make_change(texts == &add, text);
            if (!change) return change.error();
            out.push_back(*std::move(change));
        }
    }
    return {boost::system::in_place_value, std::move(out)};
}

}  // namespace

RuleService::RuleService(asio::io_context& main_io, Reload reload, Generation generation,
                         Learner::MayReload may_learn)
    : main_io_(main_io),
      reload_(std::move(reload)),
      generation_(std::move(generation)),
      may_learn_(std::move(may_learn)),
      wall_ms_([] {
          return std::chrono::duration_cast<std::chrono::milliseconds>(
                     std::chrono::system_clock::now().time_since_epoch())
              .count();
      }),
      learner_(
          [this](Learner::Batch batch, std::function<void(const Learner::Learned&)> done) {
              learn(std::move(batch), std::move(done));
          },
          may_learn_),
      aside_(main_io, "rules") {}

RuleService::~RuleService() {
    aside_.stop();
    for (const auto& [_, set] : sets_)
        set->timer.cancel();
}

void RuleService::add_methods(ops::Methods& methods) {
    using ops::Changes;
    using ops::ParamType;
    constexpr ops::Parameter kTag{"tag", ParamType::text, "the tag of a dynamic_domain_set", true};
    methods.add({.name = "rules",
                 .help = "Shows the dynamic_domain_sets, their files and how many rules they have.",
                 .changes = Changes::nothing(),
                 .piece = ops::Piece::report(),
                 .run = [this](const ops::Arguments&, const ops::RpcDone& done) { sets(done); },
                 .members = "sets",
                 .result = "each set with its file and its number of rules"});
    methods.add({.name = "rules.list",
                 .help = "Lists the rules of a dynamic_domain_set.",
                 .changes = Changes::nothing(),
                 .piece = kRules,
                 .parameters = {kTag},
                 .run = [this](const ops::Arguments& asked,
                               const ops::RpcDone& done) { list(asked, done); },
                 .members = "tag file rules more? cursor?",
                 .result = "the rules, each as a text"});
    methods.add(
        {.name = "rules.change",
         .help = "Adds and removes rules of a dynamic_domain_set; returns when it is active.",
         .changes = Changes::always(),
         .piece = ops::Piece::report(),
         .parameters = {kTag,
                        {"add", ParamType::texts, "rules to add, as in [\"ads.example\"]"},
                        {"remove", ParamType::texts, "rules to remove"}},
         .run = [this](const ops::Arguments& asked,
                       const ops::RpcDone& done) { change(asked, done); },
         .members = "tag file added removed unchanged generation",
         .result = "the numbers of added and removed rules"});
}

void RuleService::follow(const config::Settings& settings) {
    for (const auto& [_, set] : sets_)
        set->wanted = false;
    for (const config::RuleFile& file : settings.rule_files) {
        SetPtr& set = sets_[file.tag];
        if (set == nullptr) set = std::make_shared<Set>(main_io_);
        set->wanted = true;
        set->settings = file;
        aside_.run([file] { return make_rule_file(file); },
                   [file](const Result<bool>& made) {
                       if (!made) spdlog::warn("{}", made.error().text);
                   });
    }
    for (const auto& [tag, set] : sets_) {
        if (set->wanted) continue;
        for (const Waiting& one : set->waiting)
            refuse(one.request,
                   "dynamic_domain_set '" + tag + "' was removed from the configuration");
        set->waiting.clear();
        set->timer.cancel();
    }
    std::erase_if(sets_, [](const auto& s) { return !s.second->wanted; });
    learner_.follow(settings);
}

// ---- what is asked

RuleService::SetPtr RuleService::find(const std::string& tag, const ops::RpcDone& done) const {
    if (const auto at = sets_.find(tag); at != sets_.end()) return at->second;
    std::vector<std::string_view> tags;
    tags.reserve(sets_.size());
    for (const auto& [known, _] : sets_)
        tags.push_back(known);
    std::string error = "there is no dynamic_domain_set " + matchers::quoted(tag);
    if (tags.empty()) {
        error += ": the configuration has none";
    } else if (std::string hint = config::did_you_mean(tag, tags); !hint.empty()) {
        error += hint;
    } else {
        error += ": there is ";
        for (std::size_t i = 0; i < tags.size(); ++i)
            error.append(i == 0 ? "" : ", ").append(tags[i]);
    }
    done(bad_params(error));
    return nullptr;
}

void RuleService::sets(const ops::RpcDone& done) {
    struct Read {
        std::string tag;
        config::RuleFile settings;
        Result<RuleCount> count{RuleCount()};
    };
    std::vector<Read> all;
    all.reserve(sets_.size());
    for (const auto& [tag, set] : sets_)
        all.push_back({.tag = tag, .settings = set->settings});
    aside_.run(
        [all = std::move(all)]() mutable {
            for (Read& one : all)
                one.count = count_rules(one.settings.file, one.settings.origins_file);
            return std::move(all);
        },
        [this, done](const std::vector<Read>& read) {
            json::array out;
            for (const Read& one : read) {
                const auto& count = one.count;
                const config::RuleFile& settings = one.settings;
                const auto at = sets_.find(one.tag);
                if (at == sets_.end()) continue;
                const Set& set = *at->second;
                json::object row{{"tag", one.tag}, {"file", set.settings.file}};
                if (count) row["rules"] = count->rules;
                if (settings.max_entries != 0) row["max_entries"] = settings.max_entries;
                if (!settings.origins_file.empty() && count && count->origins_error.empty())
                    row["learned"] = count->learned;
                row["waiting"] = set.waiting.size();
                row["trouble"] = !count                          ? count.error().text
                                 : !count->origins_error.empty() ? count->origins_error
                                                                 : set.error;
                out.push_back(std::move(row));
            }
            done(json::value(json::object{{"sets", std::move(out)}}));
        });
}

void RuleService::list(const ops::Arguments& asked, const ops::RpcDone& done) {
    const SetPtr set = find(asked.text("tag"), done);
    if (set == nullptr) return;
    const auto cursor = asked.find_text(ops::kCursor);
    const auto after = cursor ? RuleCursor::from(*cursor) : RuleCursor{};
    if (!after) return done(ops::bad_cursor());
    aside_.run(
        [file = set->settings.file, origins = set->settings.origins_file, after = *after] {
            return read_rule_page(file, origins, after, kRules.most_rows());
        },
        [set, done](Result<RulePage> page) {
            if (!page) return done(RpcError{RpcCode::internal_error, page.error().text});
            if (page->has_lost_place) return done(ops::lost_place());
            json::object out{{"tag", set->settings.tag},
                             {"file", set->settings.file},
                             {"rules", std::move(page->rules)}};
            if (page->next) ops::end_page(out, page->next->to_cursor());
            done(json::value(std::move(out)));
        });
}

void RuleService::change(const ops::Arguments& asked, const ops::RpcDone& done) {
    const SetPtr set = find(asked.text("tag"), done);
    if (set == nullptr) return;
    auto add = asked.texts("add"), remove = asked.texts("remove");
    if (add.empty() && remove.empty()) return done(bad_params("write at least one rule"));
    aside_.run(
        [add = std::move(add), remove = std::move(remove)] { return changes_of(add, remove); },
        [this, set, done](Result<std::vector<RuleChange>> changes) {
            if (!changes) return done(bad_params(changes.error().text));
            take(set, *std::move(changes), done);
        });
}

// ---- what queries teach

void RuleService::learned(const std::string& tag, std::span<const std::uint8_t> name) {
    learner_.take(tag, dns::name_to_text(name));
}

// Like a requested change, but omits rules that do not fit.
void RuleService::learn(Learner::Batch batch, std::function<void(const Learner::Learned&)> done) {
    const auto at = sets_.find(batch.set);
    const SetPtr set = at == sets_.end() ? nullptr : at->second;
    const std::size_t max_names = batch.max_names;
    aside_.run([file = set == nullptr ? "" : set->settings.file,
                rules = std::move(batch.rules)] { return fitting_rules(file, rules); },
               [this, set, max_names, done = std::move(done)](FittingRules fitting) {
                   if (set == nullptr || !set->wanted) return done({.refused = fitting.all});
                   learn_fitting(set, std::move(fitting), max_names, done);
               });
}

void RuleService::learn_fitting(const SetPtr& set, FittingRules fitting, std::size_t max_names,
                                const std::function<void(const Learner::Learned&)>& done) {
    if (std::exchange(set->learn_error, fitting.error) != fitting.error && !fitting.error.empty())
        spdlog::warn("dynamic_domain_set '{}' learns no names: {}", set->settings.tag,
                     fitting.error);
    Learner::Learned none;  // if none of it is written
    auto& fresh = fitting.fresh;
    const std::size_t rules = fitting.there + rules_to_come(*set);
    const std::size_t of_set = set->settings.max_entries;
    const bool is_of_set = of_set != 0 && of_set < max_names;
    const std::size_t most = is_of_set ? of_set : max_names;
    const std::size_t free = most - std::min(most, rules);
    none.is_full = free == 0 || fresh.size() > free;
    none.max_entries = is_of_set ? of_set : 0;
    if (fresh.size() > free)
        fresh.erase(fresh.begin() + static_cast<std::ptrdiff_t>(free), fresh.end());
    for (const std::size_t room = room_in(*set); fresh.size() > room; fresh.pop_back())
        none.later.push_back(fresh.back().text);
    none.unchanged = fitting.unchanged;
    none.refused = fitting.all - none.unchanged - none.later.size();
    if (fresh.empty()) return done(none);
    take(
        set, std::move(fresh),
        [none, done](const ops::RpcResult& result) {
            if (!result) return done(none);
            Learner::Learned learned = none;
            const auto added = result->at("added").to_number<std::uint64_t>();
            const auto unchanged = result->at("unchanged").to_number<std::uint64_t>();
            learned.added += added;
            learned.unchanged += unchanged;
            learned.refused -= added + unchanged;
            done(learned);
        },
        ChangedBy::query);
}

// ---- what is too old

void RuleService::poll(std::uint64_t now_ms) {
    now_ms_ = now_ms;
    learner_.check(now_ms);
    for (const auto& [_, set] : sets_) {
        if (set->settings.entry_ttl_s != 0 && !set->searching && now_ms >= set->next_search_ms)
            search_expired(set);
    }
}

void RuleService::search_expired(const SetPtr& set) {
    set->searching = true;
    set->next_search_ms = now_ms_ + std::uint64_t{set->settings.cleanup_interval_s} * 1000;
    aside_.run([file = set->settings, now_ms = wall_ms_()] { return expired_rules(file, now_ms); },
               [this, set](Result<std::vector<RuleChange>> expired) {
                   remove_expired(set, std::move(expired));
               });
}

// As learned names: not while a configuration file differs from the one in force, and at most a queue at a time.
void RuleService::remove_expired(const SetPtr& set, Result<std::vector<RuleChange>> expired) {
    set->searching = false;
    const std::string error = expired ? std::string() : expired.error().text;
    if (std::exchange(set->age_error, error) != error && !error.empty())
        spdlog::warn("dynamic_domain_set '{}' removes no old names: {}", set->settings.tag, error);
    if (!set->wanted || !expired || expired->empty()) return;
    if (!may_learn_()) {
        set->next_search_ms = now_ms_ + Learner::kHeldEveryMs;
        return;
    }
    const std::size_t all = expired->size();
    expired->resize(std::min(all, room_in(*set)));
    const std::uint64_t next_ms = now_ms_ + Learner::kEveryMs;
    set->next_search_ms = expired->size() < all ? next_ms : std::max(set->next_search_ms, next_ms);
    if (expired->empty()) return;
    set->searching = true;
    take(
        set, *std::move(expired), [set](const ops::RpcResult&) { set->searching = false; },
        ChangedBy::age);
}

// ---- what is to be written

std::size_t RuleService::room_in(const Set& set) {
    return set.settings.queue_size -
           std::min<std::size_t>(set.settings.queue_size, set.waiting.size());
}

// That are not in the file, or were not when it was last read.
std::size_t RuleService::rules_to_come(const Set& set) {
    const auto waiting = std::count_if(set.waiting.begin(), set.waiting.end(),
                                       [](const Waiting& one) { return one.owned.change.add; });
    return set.adding + static_cast<std::size_t>(waiting);
}

void RuleService::take(const SetPtr& set, std::vector<RuleChange> changes, const ops::RpcDone& done,
                       ChangedBy by) {
    const std::size_t room = room_in(*set);
    std::string error;
    if (!set->wanted) {
        error = "dynamic_domain_set '" + set->settings.tag + "' was removed from the configuration";
    } else if (changes.size() > room) {
        error = "dynamic_domain_set '" + set->settings.tag + "' has room for " +
                std::to_string(room) + " more changes of " +
                std::to_string(set->settings.queue_size) + " (queue_size), and these are " +
                std::to_string(changes.size()) +
                ": none was taken; write fewer at a time, or try again in a moment";
    }
    if (!error.empty()) {
        set->refused += changes.size();
        return done(RpcError{RpcCode::internal_error, error});
    }
    auto request = std::make_shared<Request>();
    request->tag = set->settings.tag;
    request->file = set->settings.file;
    request->done = done;
    request->by_queries = by != ChangedBy::person;
    request->left = changes.size();
    for (RuleChange& change : changes)
        set->waiting.push_back({{std::move(change), by}, request});
    collect(set);
}

void RuleService::collect(const SetPtr& set) {
    if (set->writing || set->waiting.empty()) return;
    if (set->waiting.size() >= set->settings.batch_size || set->settings.flush_interval_ms == 0) {
        set->timer.cancel();
        return write(set);
    }
    if (set->collecting) return;
    set->collecting = true;
    set->timer.expires_after(std::chrono::milliseconds(set->settings.flush_interval_ms));
    set->timer.async_wait(
        [this, set, alive = aside_.alive()](const boost::system::error_code& error) {
            if (!*alive) return;
            set->collecting = false;
            if (error) return collect(set);
            if (!set->writing && !set->waiting.empty()) write(set);
        });
}

void RuleService::write(const SetPtr& set) {
    set->writing = true;
    std::vector<Waiting> batch;
    const std::size_t most = std::min<std::size_t>(set->settings.batch_size, set->waiting.size());
    batch.reserve(most);
    for (std::size_t i = 0; i < most; ++i) {
        batch.push_back(std::move(set->waiting.front()));
        set->waiting.pop_front();
    }
    std::vector<OwnedChange> changes;
    changes.reserve(batch.size());
    for (const Waiting& one : batch) {
        changes.push_back(one.owned);
        set->adding += one.owned.change.add ? 1 : 0;
    }
    aside_.run(
        [file = set->settings, changes = std::move(changes), now_ms = wall_ms_()] {
            auto changed = change_bounded(file, changes, now_ms);
            return Outcome{std::move(changed), stamp_of(file.file)};
        },
        [this, set, batch = std::move(batch)](const Outcome& outcome) {
            wrote(set, batch, outcome);
        });
}

void RuleService::wrote(const SetPtr& set, const std::vector<Waiting>& batch,
                        const Outcome& outcome) {
    set->writing = false;
    set->adding = 0;
    const bool noticed = std::exchange(set->noticed, false);
    std::vector<RequestPtr> complete;
    if (!outcome.changed) {
        set->error = outcome.changed.error().text;
        spdlog::warn("{}", set->error);
        set->refused += batch.size();
        for (const Waiting& one : batch)
            refuse(one.request, set->error);
        std::erase_if(set->waiting, [](const Waiting& w) { return !w.request->done; });
    } else {
        set->error.clear();
        set->stamp = outcome.stamp;
        set->displaced += outcome.changed->displaced;
        bool any = outcome.changed->displaced != 0;
        for (std::size_t i = 0; i < batch.size(); ++i) {
            using Is = BoundedChange::Is;
            Request& request = *batch[i].request;
            const bool add = batch[i].owned.change.add;
            switch (outcome.changed->results[i]) {
                case Is::changed:
                    any = true;
                    ++(add ? request.added : request.removed);
                    ++(add                                   ? set->added
                       : batch[i].owned.by == ChangedBy::age ? set->expired
                                                             : set->removed);
                    break;
                case Is::unchanged:
                    ++request.unchanged;
                    ++set->unchanged;
                    break;
                case Is::no_room:
                    ++request.without_room;
                    ++set->refused;
                    request.without_room_of = no_room_in(*set);
                    break;
            }
            if (--request.left == 0) complete.push_back(batch[i].request);
        }
        if (any) ++set->written;
    }
    // A change by another process during this time is read by the same reload.
    if (noticed && set->written == set->in_force) ++set->written;
    const bool by_queries = std::all_of(batch.begin(), batch.end(),
                                        [](const Waiting& one) { return one.request->by_queries; });
    put_in_force(set, std::move(complete), by_queries);
    collect(set);
}

void RuleService::put_in_force(const SetPtr& set, std::vector<RequestPtr> requests,
                               bool by_queries) {
    if (set->written == set->in_force) {
        for (const RequestPtr& request : requests)
            answer(request, generation_());
        return;
    }
    const auto respond = [set, version = set->written, requests = std::move(requests),
                          alive = aside_.alive()](const InForce& outcome) {
        if (!*alive) return;
        if (outcome.error.empty()) set->in_force = std::max(set->in_force, version);
        for (const RequestPtr& request : requests) {
            if (outcome.error.empty()) {
                answer(request, outcome.generation);
            } else {
                refuse(request,
                       "written to " + request->file + ", but not in force: " + outcome.error);
            }
        }
    };
    // Another process changed a file during the write. The next reload reads both.
    if (by_queries && !may_learn_())
        return respond({generation_(), "files of the configuration changed since they were read"});
    reload_("rules of '" + set->settings.tag + "'", by_queries, respond);
}

std::string RuleService::no_room_in(const Set& set) {
    return "dynamic_domain_set '" + set.settings.tag + "' has max_entries (" +
           std::to_string(set.settings.max_entries) + ") rules" +
           (set.settings.origins_file.empty()
                ? ": remove rules, raise max_entries, or write metadata_path, so that learned "
                  "names "
                  "make room"
                : ", and no learned name that could make room: remove rules, or raise max_entries");
}

void RuleService::answer(const RequestPtr& request, std::uint32_t generation) {
    if (!request->done) return;
    if (request->without_room != 0 && !request->by_queries) {
        return refuse(request, std::to_string(request->without_room) +
                                   " rules were not added, the others are in force: " +
                                   request->without_room_of);
    }
    const auto done = std::exchange(request->done, nullptr);
    done(json::value(json::object{{"tag", request->tag},
                                  {"file", request->file},
                                  {"added", request->added},
                                  {"removed", request->removed},
                                  {"unchanged", request->unchanged},
                                  {"generation", generation}}));
}

void RuleService::refuse(const RequestPtr& request, const std::string& why) {
    if (!request->done) return;
    const auto done = std::exchange(request->done, nullptr);
    done(RpcError{RpcCode::internal_error, why});
}

// ---- what others do to the files

RuleService::Stamp RuleService::stamp_of(const std::string& file) {
    struct stat is {};
    if (::stat(file.c_str(), &is) != 0) return {};
    return {is.st_dev, is.st_ino, static_cast<std::uint64_t>(is.st_size), is.st_mtim.tv_sec,
            is.st_mtim.tv_nsec};
}

bool RuleService::is_own_change(const std::string& file) {
    const auto at = std::find_if(sets_.begin(), sets_.end(), [&file](const auto& s) {
        return s.second->settings.file == file;
    });
    if (at == sets_.end()) return false;
    Set& set = *at->second;
    if (set.writing) {
        set.noticed = true;
        return true;
    }
    return set.stamp != Stamp{} && set.stamp == stamp_of(file);
}

void RuleService::write_metrics(ops::MetricWriter& writer) const {
    writer.family("steerdns_rule_changes");
    for (const auto& [tag, set] : sets_) {
        writer.sample({{"set", tag}, {"result", "added"}}, set->added);
        writer.sample({{"set", tag}, {"result", "removed"}}, set->removed);
        writer.sample({{"set", tag}, {"result", "unchanged"}}, set->unchanged);
        writer.sample({{"set", tag}, {"result", "refused"}}, set->refused);
        writer.sample({{"set", tag}, {"result", "expired"}}, set->expired);
        writer.sample({{"set", tag}, {"result", "displaced"}}, set->displaced);
    }
    writer.family("steerdns_rules_waiting");
    for (const auto& [tag, set] : sets_)
        writer.sample({{"set", tag}}, std::uint64_t{set->waiting.size()});
    learner_.write_metrics(writer);
}

}  // namespace steer::rules
