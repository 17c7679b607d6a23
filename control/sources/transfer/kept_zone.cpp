#include "control/sources/transfer/kept_zone.h"

#include <spdlog/spdlog.h>

#include <bit>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "dataplane/dns/wire.h"

namespace steer::transfer {
namespace {

// A merge is due when the journal has more bytes than this share of the image, and than the least;
// or when more owners changed than this share of the records.
constexpr std::size_t kJournalShare = 8;
constexpr std::size_t kLeastJournal = 1 << 20;
constexpr std::size_t kAnswersShare = 2;  // times max_size: the answers of a local zone

std::string text_of(const config::ZonePrimary& primary) {
    const bool is_v4 = primary.address.is_v4();
    const std::string address = primary.address.to_string();
    return (primary.tls ? "tls://" : "") + (is_v4 ? address : "[" + address + "]") + ":" +
           std::to_string(primary.port);
}

}  // namespace

KeptZone::KeptZone(build::SecondaryPlan plan, std::shared_ptr<ZoneTargets> targets,
                   Exchange exchange)
    : plan_(std::move(plan)),
      targets_(std::move(targets)),
      exchange_(std::move(exchange)),
      contents_(plan_.settings.zone),
      file_(plan_.settings.file) {}

void KeptZone::make_policy(const std::vector<Bytes>* touched, Update& update) {
    if (plan_.policy == nullptr) return;
    if (policy_ == nullptr || touched == nullptr) {
        policy_ = std::make_unique<PolicyBuilder>(contents_.zone(), targets_);
        update.policy = policy_->build(contents_);
    } else {
        update.policy = policy_->change(contents_, *touched);
    }
}

std::vector<config::RecordName> KeptZone::names_in(const ZoneContents& zone) {
    std::vector<config::RecordName> out;
    zone.for_each([&out](ByteSpan owner, OwnerRecords records) {
        if (out.size() >= kMostNames) return;
        records.for_each([&](const ZoneRecord& record) {
            auto named = config::name_in_record(owner, record.type, record.rdata);
            if (named && out.size() < kMostNames) out.push_back(*std::move(named));
        });
    });
    return out;
}

bool KeptZone::make_local(const ZoneContents& draft, Update& update) {
    if (plan_.local == nullptr) return true;
    Skipped skipped;
    const std::size_t most_bytes = kAnswersShare * plan_.settings.max_bytes;
    update.local =
        build_local_zone(draft, targets_, skipped, plan_.settings.max_records, most_bytes);
    if (update.local == nullptr) {
        update.outcome = TransferOutcome::too_large;
        update.why = "its names, with those above them, are more than max_records (" +
                     std::to_string(plan_.settings.max_records) +
                     "), or its answers take more than twice max_size (" +
                     std::to_string(plan_.settings.max_bytes) + " bytes)";
        return false;
    }
    local_skipped_ = std::move(skipped);
    update.names = names_in(draft);
    return true;
}

void KeptZone::retry_targets(Update& update) {
    if (policy_ != nullptr && policy_->skipped().lacks_targets)
        update.policy = policy_->build(contents_);
    if (plan_.local != nullptr && local_skipped_.lacks_targets) (void)make_local(contents_, update);
}

void KeptZone::describe(Update& update) const {
    update.soa = contents_.soa();
    update.records = contents_.records();
    update.memory = contents_.bytes();
    if (policy_ != nullptr) update.skipped = policy_->skipped();
    if (plan_.local != nullptr && local_skipped_.count > 0) {
        if (update.skipped.count == 0) update.skipped.first = local_skipped_.first;
        update.skipped.count += local_skipped_.count;
        update.skipped.lacks_targets |= local_skipped_.lacks_targets;
    }
    const std::size_t image = contents_.image() == nullptr ? 0 : contents_.image()->bytes();
    update.is_merge_due =
        (policy_ != nullptr && policy_->is_merge_due()) ||
        std::has_single_bit(file_.behind()) ||  // ever fewer attempts to write a whole image
        file_.journal_bytes() > std::max(kLeastJournal, image / kJournalShare) ||
        contents_.changed() > std::max<std::size_t>(PolicyBuilder::kWorthMerging,
                                                    contents_.records() / kJournalShare);
}

void KeptZone::write_list(Update& update) const {
    if (!plan_.feeds_lists || plan_.settings.list_file.empty()) return;
    if (auto done = save_zone_text(plan_.settings.list_file, contents_); !done) {
        update.remark = done.error().text;
    } else {
        update.is_listed = true;
    }
}

std::optional<KeptZone::Restored> KeptZone::restore(std::string& remark) {
    auto kept = file_.load(contents_.zone());
    if (!kept) {
        remark = kept.error().text;
        return std::nullopt;
    }
    if (!*kept) return std::nullopt;
    if (auto done = contents_.replace((*kept)->image); !done) {
        remark = plan_.settings.file + " cannot be used: " + done.error().text;
        contents_ = ZoneContents(plan_.settings.zone);
        return std::nullopt;
    }
    std::vector<Bytes> touched;
    for (const auto& changes : (*kept)->changes) {
        if (auto done = contents_.apply(changes, touched); !done) {
            file_.set_journal_aside(done.error().text);
            break;
        }
    }
    remark = file_.error();
    Restored out;
    out.checked_s = (*kept)->checked_s;
    // Settings may have changed since it was kept.
    if (!may_be_used(contents_, out.update)) {
        remark = plan_.settings.file + " cannot be used: " + out.update.why;
        contents_ = ZoneContents(plan_.settings.zone);
        return std::nullopt;
    }
    make_policy(nullptr, out.update);
    describe(out.update);
    std::error_code error;
    const bool lacks_list = plan_.feeds_lists && !plan_.settings.list_file.empty() &&
                            !std::filesystem::exists(plan_.settings.list_file, error);
    if (lacks_list) write_list(out.update);
    return out;
}

ExchangeRequest KeptZone::request_for(const config::ZonePrimary& primary, bool whole,
                                      bool any_serial) const {
    const config::Secondary& settings = plan_.settings;
    ExchangeRequest out;
    out.zone = settings.zone;
    out.primary = primary;
    out.key = settings.tsig;
    out.tls = settings.tls;
    if (const auto soa = contents_.find(contents_.zone()).find(dns::kSoa)) {
        out.soa.assign(soa->rdata.begin(), soa->rdata.end());
        if (const auto fields = soa_of(soa->rdata)) out.have = fields->serial;
    }
    out.whole = whole;
    out.any_serial = any_serial;
    out.incremental = settings.incremental;
    out.limits = {settings.max_bytes, settings.max_records};
    out.timeout = settings.timeout;
    return out;
}

bool KeptZone::is_digest_good(const ZoneContents& draft, Update& update) const {
    if (plan_.settings.digest == config::ZoneDigest::ignore) return true;
    const DigestCheck check = check_digest(draft);
    update.digest = check.result;
    const bool is_required = plan_.settings.digest == config::ZoneDigest::required;
    if (check.result == DigestResult::right ||
        (check.result != DigestResult::wrong && !is_required))
        return true;
    update.outcome = TransferOutcome::bad_digest;
    update.why = check.why;
    return false;
}

bool KeptZone::is_within_limits(const ZoneContents& draft, Update& update) const {
    const config::Secondary& settings = plan_.settings;
    const bool has_room = draft.records() <= settings.max_records;
    if (has_room && draft.bytes() <= settings.max_bytes) return true;
    update.outcome = TransferOutcome::too_large;
    update.why = has_room ? "the zone would be larger than max_size (" +
                                std::to_string(settings.max_bytes) + " bytes)"
                          : "the zone would have more than max_records (" +
                                std::to_string(settings.max_records) + ") records";
    return false;
}

bool KeptZone::may_be_used(const ZoneContents& draft, Update& update) {
    return is_within_limits(draft, update) && is_digest_good(draft, update) &&
           make_local(draft, update);
}

bool KeptZone::take(Exchanged& got, Update& update) {
    const auto refuse = [&](const std::string& why) {
        update.outcome = TransferOutcome::malformed;
        update.why = why;
        return false;
    };
    const bool is_whole = got.outcome == TransferOutcome::whole;
    std::vector<Bytes> touched;
    ZoneContents draft = contents_;
    if (is_whole) {
        if (auto done = draft.replace(std::move(got.image)); !done)
            return refuse(done.error().text);
    } else {
        if (auto done = draft.apply(got.differences, touched); !done)
            return refuse(done.error().text);
    }
    if (!may_be_used(draft, update)) return false;
    // On disk first: a start after a crash must not have an older zone than the workers had.
    auto kept = is_whole ? file_.save(draft.zone(), *draft.image()) : file_.append(got.differences);
    contents_ = std::move(draft);
    if (!kept) update.remark = kept.error().text + "; the zone is used, but a restart lacks it";
    update.is_changed = true;
    make_policy(is_whole ? nullptr : &touched, update);
    write_list(update);
    return true;
}

bool KeptZone::take_reply(Exchanged& got, Update& update, bool& is_older) {
    update.outcome = got.outcome;
    update.why = got.why;
    update.bytes += got.bytes;
    if (got.left_out > 0)
        update.remark =
            std::to_string(got.left_out) + " records are not of the zone and were left out";
    if (!is_good(got.outcome)) return false;
    if (got.outcome != TransferOutcome::unchanged) return take(got, update);
    const auto soa = contents_.soa();
    is_older = soa && got.serial && is_newer_serial(soa->serial, *got.serial);
    if (is_older)
        update.remark = "the primary has serial " + std::to_string(*got.serial) +
                        ", which is older than " + std::to_string(soa->serial) +
                        " here; `steerctl zones retransfer " + plan_.tag + "` takes it";
    file_.touch();
    return true;
}

KeptZone::Update KeptZone::refresh(bool whole, const std::stop_token& stop) {
    Update update;
    std::optional<Update> older;  // from a primary that lags behind the zone here
    for (const config::ZonePrimary& primary : plan_.settings.primaries) {
        if (stop.stop_requested()) break;
        update = Update();
        update.primary = text_of(primary);
        bool is_older = false;
        Exchanged got = exchange_(request_for(primary, whole, whole), stop);
        bool is_taken = take_reply(got, update, is_older);
        const bool has_failed_ixfr =
            !is_taken && (got.asks_whole || got.outcome == TransferOutcome::incremental) &&
            update.outcome != TransferOutcome::too_large;
        if (has_failed_ixfr && !stop.stop_requested()) {
            spdlog::debug("zone {}: IXFR from {} failed ({}); asking for the whole zone", plan_.tag,
                          update.primary, update.why);
            got = exchange_(request_for(primary, true, whole), stop);
            is_taken = take_reply(got, update, is_older);
        }
        if (is_taken && !is_older) break;
        if (is_taken) older = std::exchange(update, {});
    }
    if (older && !is_good(update.outcome)) update = std::move(*older);
    if (update.outcome == TransferOutcome::unchanged) retry_targets(update);
    describe(update);
    return update;
}

void KeptZone::add_local(Update& update) {
    if (!contents_.empty()) (void)make_local(contents_, update);
}

KeptZone::Update KeptZone::merge() {
    Update update;
    update.outcome = TransferOutcome::unchanged;
    contents_.merge();
    if (auto kept = file_.save(contents_.zone(), *contents_.image()); !kept)
        update.remark = kept.error().text;
    if (policy_ != nullptr && policy_->has_changes()) update.policy = policy_->merge(contents_);
    describe(update);
    update.is_merge_due = false;
    return update;
}

}  // namespace steer::transfer
