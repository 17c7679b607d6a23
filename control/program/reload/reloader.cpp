#include "control/program/reload/reloader.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <new>
#include <span>
#include <utility>

#include "control/config/layer.h"
#include "control/config/lists/list_changes.h"
#include "control/host/process/background.h"
#include "control/host/process/files_as.h"
#include "control/host/process/process_limits.h"
#include "control/host/process/rights.h"
#include "control/program/build/image_folder.h"
#include "control/program/engine/plans.h"
#include "control/program/reload/file_access.h"
#include "control/program/reload/host_servers.h"
#include "control/program/reload/suffix_file.h"
#include "control/program/reload/surroundings.h"
#include "control/program/reload/text_hash.h"
#include "control/streams/fetch/list_fetch.h"

namespace steer {
namespace {

std::vector<config::DownloadItem> missing_of(const config::Download& download) {
    std::vector<config::DownloadItem> missing;
    std::error_code error;
    for (const config::DownloadItem& item : download.items) {
        if (!std::filesystem::exists(item.file, error)) missing.push_back(item);
    }
    return missing;
}

std::unique_ptr<Candidate> refused(Error why) {
    auto candidate = std::make_unique<Candidate>();
    candidate->errors.push_back(std::move(why));
    return candidate;
}

}  // namespace

config::LoadOutcome ConfigSource::load(bool downloads_tried) const {
    const FilesAs files(user, {&path, 1});
    config::LoadOptions options_now = how();
    options_now.downloads_tried = downloads_tried;
    return complete(config::load(path, options_now));
}

config::LoadOutcome ConfigSource::load_text(const std::string& text) const {
    const FilesAs files(user);
    return complete(config::load_text(text, path, how()));
}

Result<config::Node> ConfigSource::merged() const {
    return config::merged_document(path, how());
}

ConfigSource ConfigSource::with_layer(std::optional<std::string> text) const {
    ConfigSource out = *this;
    out.options.managed.has_file = text.has_value();
    out.options.managed.text = std::move(text);
    return out;
}

namespace {

// The user that opens the layer, and what the configuration with it names. Empty: this process.
Result<std::string> managed_user(const std::string& wanted) {
    constexpr uid_t kOverflowUid = 65534;  // of `nobody`
    auto name = resolve_user(wanted);
    if (name && (is_nobody(*name) || ::geteuid() == kOverflowUid))
        return Error{
            "the daemon's user would be 'nobody', whose files belong to many processes: "
            "name a user of its own as `user` of `control`"};
    return name;  // empty if we are not root
}

}  // namespace

config::LoadOptions ConfigSource::how() const {
    config::LoadOptions out = options;
    out.managed.is_on = has_managed;
    out.managed.as_user =
        [file = path, given = user](const std::string& wanted) -> Result<std::shared_ptr<void>> {
        auto name = managed_user(given.empty() ? wanted : given);
        if (!name) return name.error();
        // With a given user, the whole load has its rights.
        if (!given.empty()) return std::shared_ptr<void>();
        std::shared_ptr<void> rights = std::make_shared<FilesAs>(*name, std::span(&file, 1));
        return {boost::system::in_place_value, std::move(rights)};
    };
    return out;
}

config::LoadOutcome ConfigSource::complete(config::LoadOutcome loaded) const {
    if (!control_socket.empty()) loaded.settings.control.socket = control_socket;
    if (!user.empty()) {
        auto& wanted = loaded.settings.control.user;
        if (!wanted.empty() && wanted != user) {
            loaded.warnings.emplace_back("`user: " + wanted +
                                             "` of `control` has no effect: steerdnsd was started "
                                             "with --user " +
                                             user + "; remove it, or change the option in the unit",
                                         loaded.settings.file, 0);
        }
        wanted = user;
    }
    if (user.empty() && loaded.settings.managed.is_used) {
        if (auto name = managed_user(loaded.settings.control.user))
            loaded.settings.managed.user = *std::move(name);
    }
    auto unserved =
        fill_host_servers(loaded.settings, read_surroundings(loaded.settings).own_addresses);
    std::move(unserved.begin(), unserved.end(), std::back_inserter(loaded.warnings));
    return loaded;
}

config::LoadOutcome ConfigSource::load_in_force() const {
    ConfigSource copy = *this;
    copy.options.texts = in_force->get();
    copy.options.leaves_out_lines = true;  // as the start
    return copy.load();
}

void TextsInForce::set(config::SourceTexts texts) {
    auto fresh = std::make_shared<const config::SourceTexts>(std::move(texts));
    const std::lock_guard lock(mutex_);
    texts_ = std::move(fresh);
}

std::shared_ptr<const config::SourceTexts> TextsInForce::get() const {
    const std::lock_guard lock(mutex_);
    return texts_;
}

config::LoadOutcome ConfigSource::load_with_lists(
    std::set<std::string>& tried, const std::stop_token& stop,
    const std::function<void(const std::string&)>& say) const {
    auto loaded = load();
    if (!loaded.ok()) return loaded;
    const bool lacked = lacks_files(loaded.settings);
    const auto fetched = fetch_lists(loaded.settings, tried, stop, say);
    return fetched == 0 && !lacked ? loaded : load(true);
}

std::size_t ConfigSource::fetch_lists(const config::Settings& settings,
                                      std::set<std::string>& tried, const std::stop_token& stop,
                                      const std::function<void(const std::string&)>& say) const {
    const FilesAs files(user);  // the configuration names the places
    auto means = fetch::fetch_options_of(settings);
    std::vector<config::RemoteList> fresh;
    for (const auto& list : settings.remote_lists) {
        if (!list.present && tried.insert(list.url).second) fresh.push_back(list);
    }
    auto fetched = fetch::fetch_missing(fresh, means, say, stop);
    means.keep_facts = false;
    for (const auto& plugin : settings.plugins) {
        const auto* const download = std::get_if<config::Download>(&plugin.args);
        if (download == nullptr || !download->startup_if_missing) continue;
        const bool is_managed = std::ranges::any_of(
            download->items,
            [&](const config::DownloadItem& item) { return settings.may_be_managed(item.file); });
        const FilesAs of_layer(is_managed ? files_user(settings) : std::string());
        fresh.clear();
        for (const config::DownloadItem& item : missing_of(*download)) {
            if (tried.insert(item.url).second)
                fresh.push_back({item.url, item.file, item.uses, false});
        }
        means.limits.start_wait = means.limits.timeout = download->timeout;
        fetched += fetch::fetch_missing(fresh, means, say, stop);
    }
    return fetched;
}

bool ConfigSource::lacks_files(const config::Settings& settings) {
    return std::any_of(settings.remote_lists.begin(), settings.remote_lists.end(),
                       [](const config::RemoteList& list) { return !list.present; }) ||
           lacks_downloads(settings);
}

bool ConfigSource::lacks_downloads(const config::Settings& settings) {
    return std::any_of(settings.plugins.begin(), settings.plugins.end(),
                       [](const config::Plugin& plugin) {
                           const auto* const d = std::get_if<config::Download>(&plugin.args);
                           return d != nullptr && d->startup_if_missing && !missing_of(*d).empty();
                       });
}

Reloader::Reloader(boost::asio::io_context& main_io, ConfigSource source, Registered registered,
                   Apply apply, Watched watched, std::set<std::string> tried)
    : main_io_(main_io),
      source_(std::move(source)),
      registered_(std::move(registered)),
      apply_(std::move(apply)),
      watched_(std::move(watched)),
      tried_(std::move(tried)) {}

// Waits for a running reload (see Parts::stop()).
Reloader::~Reloader() {
    end();
}

void Reloader::request(Done done, bool any_size) {
    any_size_ = any_size_ || any_size;
    (in_progress_ ? next_ : asked_).push_back(std::move(done));
    if (!in_progress_) begin();
}

void Reloader::begin() {
    in_progress_ = true;
    begun_ = std::chrono::steady_clock::now();
    ++serial_;
    const bool any_size = std::exchange(any_size_, false);
    const bool waits = read_.take(watched_());
    const auto begun = thread_.run([this, any_size, waits, in_force = registered_()]() mutable {
        if (waits) FileStamps::wait_for_tick();
        deliver(build_or_refuse(std::move(in_force), any_size));
    });
    if (!begun) deliver(refused(begun.error()));
}

void Reloader::deliver(std::unique_ptr<Candidate> candidate) {
    boost::asio::post(main_io_,
                      [this, built = std::move(candidate)]() mutable { apply_(std::move(built)); });
}

// Not enough memory for old and new list is not fatal.
std::unique_ptr<Candidate> Reloader::build_or_refuse(InForce in_force, bool any_size) {
    try {
        return build(std::move(in_force), any_size);
    } catch (const std::bad_alloc&) {
        return refused(
            Error{no_memory("to read and build it beside the one in force").text, source_.path});
    }
}

std::unique_ptr<Candidate> Reloader::build(InForce in_force, bool any_size) {
    auto candidate = std::make_unique<Candidate>();
    candidate->read = std::move(in_force.read);
    candidate->read.begin();
    auto loaded = source_.load_with_lists(tried_, stop_.get_token(),
                                          [](const std::string& s) { spdlog::info("{}", s); });
    candidate->settings = std::move(loaded.settings);
    candidate->errors = std::move(loaded.errors);
    candidate->warnings = std::move(loaded.warnings);
    auto outside = files_outside_rules(candidate->settings);
    std::move(outside.begin(), outside.end(), std::back_inserter(candidate->warnings));
    candidate->read.read(candidate->settings);
    candidate->text_hash = text_hash(candidate->settings);
    candidate->registry = std::move(in_force.registry);
    if (!any_size) {
        for (auto& error : config::shrunk_lists(in_force.lists, candidate->settings.lists)) {
            error.text += ", or take it once with 'steerctl reload --any-size'";
            candidate->errors.push_back(std::move(error));
        }
    }
    if (!candidate->ok()) return candidate;
    auto& built = candidate->built;
    build::ImageFolder images(candidate->settings.control.images);
    built = build::build(candidate->settings, read_surroundings(candidate->settings),
                         candidate->registry, images.folder().empty() ? nullptr : &images);
    for (auto& sentence : images.take_sentences())
        candidate->warnings.push_back(Error{std::move(sentence)});
    std::move(built.warnings.begin(), built.warnings.end(),
              std::back_inserter(candidate->warnings));
    candidate->errors = std::move(built.errors);
    auto refused = recursion::refused_by_engine(candidate->settings);
    std::move(refused.begin(), refused.end(), std::back_inserter(candidate->errors));
    auto suffixes = take_up_suffix_file();
    std::move(suffixes.begin(), suffixes.end(), std::back_inserter(candidate->warnings));
    return candidate;
}

void Reloader::finished(ReloadOutcome outcome) {
    const auto took = std::chrono::steady_clock::now() - begun_;
    outcome.took_ms = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
    outcome.serial = serial_;
    const auto waiting = std::exchange(asked_, std::exchange(next_, {}));
    in_progress_ = false;
    if (!asked_.empty()) begin();
    for (const auto& done : waiting)
        done(outcome);
}

}  // namespace steer
