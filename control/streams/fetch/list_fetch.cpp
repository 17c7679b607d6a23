#include "control/streams/fetch/list_fetch.h"

#include <algorithm>
#include <atomic>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "control/config/lists/list_changes.h"
#include "control/config/lists/list_source.h"
#include "control/host/process/new_file.h"

namespace steer::fetch {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kAtOnce = 4;

bool same_content(const std::string& a, const std::string& b) {
    constexpr std::size_t kPart = 256 * 1024;
    std::ifstream one(a, std::ios::binary), other(b, std::ios::binary);
    std::vector<char> left(kPart), right(kPart);
    while (one && other) {
        one.read(left.data(), kPart);
        other.read(right.data(), kPart);
        if (one.gcount() != other.gcount() ||
            !std::equal(left.begin(), left.begin() + one.gcount(), right.begin()))
            return false;
    }
    return one.eof() && other.eof();  // (what could not be opened is at no end)
}

// The smallest number of rules that one of its uses accepts.
Result<std::size_t> check(const std::string& path, const std::vector<config::ListUse>& uses) {
    std::size_t fewest = SIZE_MAX;
    for (const config::ListUse& use : uses) {
        const auto rules = config::check_list(path, use);
        if (!rules) return rules.error();
        fewest = std::min(fewest, *rules);
    }
    return uses.empty() ? 0 : fewest;
}

// Why a list is too short to replace its last good copy; no value: it is not.
std::string why_shrunk(const config::RemoteList& list, std::size_t rules) {
    std::uint32_t most = 100;
    for (const config::ListUse& use : list.uses)
        most = std::min(most, use.max_shrink.value_or(100));
    if (most == 100 || !fs::exists(list.file)) return {};
    // The previous count may be for other uses.
    const auto before = check(list.file, list.uses);
    if (!before || !config::shrank_too_much(*before, rules, most)) return {};
    return config::shrink_text(*before, rules, most) +
           ", or take it once with 'steerctl lists fetch --any-size'";
}

ListOutcome bad(Outcome outcome, std::string why, ListOutcome so_far) {
    so_far.outcome = outcome;
    so_far.why = std::move(why);
    return so_far;
}

}  // namespace

FetchOptions fetch_options_of(const config::Settings& settings) {
    FetchOptions options{settings.control.fetch, {}};
    for (const config::Plugin& plugin : settings.plugins) {
        const auto* const forward = std::get_if<config::Forward>(&plugin.args);
        if (forward == nullptr) continue;
        for (const config::UpstreamSettings& upstream : forward->upstreams) {
            if (!upstream.is_plain()) continue;
            const resolver::Resolver resolver{*upstream.address, upstream.port};
            if (std::find(options.resolvers.begin(), options.resolvers.end(), resolver) ==
                options.resolvers.end())
                options.resolvers.push_back(resolver);
        }
    }
    return options;
}

ListOutcome fetch_list(const config::RemoteList& list, const FetchOptions& options,
                       std::uint64_t now_s, const std::stop_token& stop) {
    ListOutcome out;
    // Without a usable copy, the server must not answer that the list has not changed.
    const bool has_facts = options.keep_facts && !list.is_damaged;
    const auto known = has_facts ? load_facts(list.file, list.url) : std::optional<ListFacts>{};
    out.facts = known.value_or(ListFacts{.url = list.url});
    auto url = config::parse_url(list.url);
    if (!url) return bad(Outcome::refused, url.error().text, std::move(out));
    make_folder_of(list.file);
    NewFile::remove_left(list.file);
    NewFile file(list.file);
    if (!file.good()) return bad(Outcome::not_kept, file.failure().text, std::move(out));
    const Request request{.url = *std::move(url),
                          .etag = out.facts.etag,
                          .last_modified = out.facts.last_modified,
                          .max_bytes = options.limits.max_size,
                          .timeout = options.limits.timeout,
                          .ca = options.limits.ca,
                          .resolvers = options.resolvers};
    const Response response = fetch(
        request,
        [&](std::span<const std::uint8_t> bytes) -> Result<void> {
            if (!file.write(bytes.data(), bytes.size())) return file.failure();
            return {};
        },
        stop);
    if (response.by_system_resolver)
        out.remark = "no upstream of the configuration answered for " + request.url.host +
                     ": the system's resolver was asked";
    if (!is_good(response.outcome)) return bad(response.outcome, response.why, std::move(out));
    out.outcome = response.outcome;
    out.facts.checked_s = now_s;
    if (response.outcome == Outcome::fetched) {
        out.facts.etag = response.etag;
        out.facts.last_modified = response.last_modified;
        if ((known || !options.keep_facts) && same_content(file.path(), list.file)) {
            out.outcome = Outcome::unchanged;
        } else {
            const auto rules = check(file.path(), list.uses);
            if (!rules) {
                out.facts = known.value_or(ListFacts{.url = list.url});
                return bad(Outcome::no_list, rules.error().text, std::move(out));
            }
            if (auto shrunk = options.any_size ? std::string{} : why_shrunk(list, *rules);
                !shrunk.empty()) {
                out.facts = known.value_or(ListFacts{.url = list.url});
                return bad(Outcome::shrunk, std::move(shrunk), std::move(out));
            }
            if (!file.replace(NewFile::kForAll)) {
                out.facts = known.value_or(ListFacts{.url = list.url});
                return bad(Outcome::not_kept, file.failure().text, std::move(out));
            }
            out.changed = true;
            out.facts.rules = *rules;
            out.facts.bytes = response.bytes;
            out.facts.fetched_s = now_s;
        }
    }
    if (!options.keep_facts) return out;
    if (auto done = save_facts(list.file, out.facts); !done) out.remark = done.error().text;
    return out;
}

std::size_t fetch_missing(const std::vector<config::RemoteList>& lists, const FetchOptions& options,
                          const std::function<void(const std::string&)>& say,
                          const std::stop_token& stop) {
    std::vector<const config::RemoteList*> missing;
    for (const auto& list : lists) {
        if (!list.present) missing.push_back(&list);
    }
    if (missing.empty() || options.limits.start_wait.count() == 0) return 0;
    const auto until = std::chrono::steady_clock::now() + options.limits.start_wait;
    std::atomic<std::size_t> next = 0, fetched = 0;
    std::mutex mutex;
    const auto work = [&] {
        for (std::size_t i = next++; i < missing.size(); i = next++) {
            FetchOptions here = options;
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                until - std::chrono::steady_clock::now());
            if (left.count() <= 0) return;
            here.limits.timeout = std::min(here.limits.timeout, left);
            const auto outcome =
                fetch_list(*missing[i], here, static_cast<std::uint64_t>(std::time(nullptr)), stop);
            if (outcome.changed) ++fetched;
            const std::scoped_lock lock(mutex);
            if (!outcome.remark.empty()) say(outcome.remark);
            say(sentence(missing[i]->url, outcome));
        }
    };
    std::vector<std::jthread> threads(std::min(kAtOnce, missing.size()) - 1);
    for (auto& thread : threads)
        thread = std::jthread(work);
    work();
    threads.clear();
    return fetched;
}

std::string sentence(const std::string& url, const ListOutcome& outcome) {
    if (outcome.changed)
        return url + " was fetched: " + std::to_string(outcome.facts.bytes) + " bytes, " +
               std::to_string(outcome.facts.rules) + " rules";
    if (is_good(outcome.outcome)) return url + " has not changed";
    const bool copy = outcome.facts.bytes != 0;
    return url + " could not be fetched: " + outcome.why +
           (copy ? "; its last good copy stays" : "; there is no copy of it, so it is empty");
}

}  // namespace steer::fetch
