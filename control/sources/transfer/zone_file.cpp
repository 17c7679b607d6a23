#include "control/sources/transfer/zone_file.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <string_view>
#include <utility>

#include "control/api/log/mnemonics.h"
#include "control/api/log/response_text.h"
#include "control/host/process/new_file.h"
#include "control/host/process/regular_file.h"
#include "control/sources/transfer/wire_bytes.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/wire.h"
#include "dataplane/port/descriptor.h"
#include "matchers/prefix/ip_address.h"

namespace steer::transfer {
namespace {

constexpr std::string_view kImageMark = "STEERDNS-ZONE 1\n";
constexpr std::string_view kJournalMark = "STEERDNS-CHANGES 1\n";
constexpr std::size_t kDigestBytes = 32;
constexpr std::size_t kTextPiece = 64 * 1024;

void put_text(Bytes& to, std::string_view text) {
    to.insert(to.end(), text.begin(), text.end());
}

Bytes sha256(ByteSpan bytes) {
    Bytes out(kDigestBytes);
    unsigned length = 0;
    if (EVP_Digest(bytes.data(), bytes.size(), out.data(), &length, EVP_sha256(), nullptr) != 1)
        out.clear();
    return out;
}

// Takes bytes from the front; after a cut it has none.
class Cutter {
  public:
    explicit Cutter(ByteSpan bytes) : rest_(bytes) {}
    ByteSpan take(std::size_t count) {
        if (is_cut_ || count > rest_.size()) {
            is_cut_ = true;
            return {};
        }
        const ByteSpan out = rest_.first(count);
        rest_ = rest_.subspan(count);
        return out;
    }
    std::uint32_t number(std::size_t bytes) {
        std::uint32_t value = 0;
        for (const std::uint8_t byte : take(bytes))
            value = value << 8 | byte;
        return value;
    }
    [[nodiscard]] bool is_cut() const { return is_cut_; }
    [[nodiscard]] ByteSpan rest() const { return rest_; }

  private:
    ByteSpan rest_;
    bool is_cut_ = false;
};

// No value: there is no such file.
Result<std::optional<Bytes>> content_of(const std::string& file) {
    auto content = read_regular<Bytes>(file, SIZE_MAX, O_NOFOLLOW);
    if (!content) return Error{file + " cannot be read: " + content.error().text};
    return content;
}

std::uint64_t changed_s(const std::string& file) {
    struct stat is {};
    return ::stat(file.c_str(), &is) == 0 ? static_cast<std::uint64_t>(is.st_mtim.tv_sec) : 0;
}

void put_changes(Bytes& to, const std::vector<ZoneDifference::Change>& changes) {
    put32(to, static_cast<std::uint32_t>(changes.size()));
    for (const auto& change : changes) {
        to.push_back(static_cast<std::uint8_t>(change.owner.size()));
        put_bytes(to, change.owner);
        OwnerRecords::add(to, {change.type, change.ttl_s, change.rdata});
    }
}

void take_changes(Cutter& from, std::vector<ZoneDifference::Change>& changes) {
    for (std::uint32_t left = from.number(4); left > 0 && !from.is_cut(); --left) {
        ZoneDifference::Change change;
        const ByteSpan owner = from.take(from.number(1));
        change.owner.assign(owner.begin(), owner.end());
        change.type = static_cast<std::uint16_t>(from.number(2));
        change.ttl_s = from.number(4);
        const ByteSpan rdata = from.take(from.number(2));
        change.rdata.assign(rdata.begin(), rdata.end());
        if (from.is_cut() || !dns::is_plain_name(owner) || !has_whole_names(change.type, rdata)) {
            (void)from.take(SIZE_MAX);  // it is cut from now on
            return;
        }
        changes.push_back(std::move(change));
    }
}

// ---- text

std::string absolute(ByteSpan name) {
    return name.size() == 1 ? "." : dns::name_to_text(name) + ".";
}

// Fields that a list can use; else as RFC 3597 says.
std::string rdata_text(const ZoneRecord& record) {
    const ByteSpan rdata = record.rdata;
    const auto is_name = [&] { return dns::is_plain_name(rdata); };
    switch (record.type) {
        case dns::kA:
            if (rdata.size() == 4) return IpAddress::from_v4(rdata.data()).to_string();
            break;
        case dns::kAaaa:
            if (rdata.size() == 16) return IpAddress::from_v6(rdata.data()).to_string();
            break;
        case dns::kCname:
        case dns::kNs:
        case dns::kPtr:
        case dns::kDname:
            if (is_name()) return absolute(rdata);
            break;
        case dns::kSoa:
            if (const auto soa = soa_of(rdata)) {
                const std::size_t first = dns::plain_name_length(rdata);
                std::string text = absolute(rdata.first(first)) + " " +
                                   absolute(rdata.subspan(first, rdata.size() - first - 20));
                for (const std::uint32_t number :
                     {soa->serial, soa->refresh_s, soa->retry_s, soa->expire_s, soa->minimum_s})
                    text += " " + std::to_string(number);
                return text;
            }
            break;
        default:
            break;
    }
    return "\\# " + std::to_string(rdata.size()) + (rdata.empty() ? "" : " ") + ops::hex(rdata);
}

}  // namespace

Bytes encode_differences(const std::vector<ZoneDifference>& differences) {
    Bytes out;
    put32(out, static_cast<std::uint32_t>(differences.size()));
    for (const ZoneDifference& difference : differences) {
        put32(out, difference.from);
        put32(out, difference.to);
        put_changes(out, difference.removed);
        put_changes(out, difference.added);
    }
    return out;
}

std::optional<std::vector<ZoneDifference>> decode_differences(ByteSpan bytes) {
    Cutter from(bytes);
    std::vector<ZoneDifference> out;
    for (std::uint32_t left = from.number(4); left > 0 && !from.is_cut(); --left) {
        ZoneDifference& one = out.emplace_back();
        one.from = from.number(4);
        one.to = from.number(4);
        take_changes(from, one.removed);
        take_changes(from, one.added);
    }
    if (from.is_cut() || !from.rest().empty()) return std::nullopt;
    return out;
}

Result<std::optional<ZoneFile::Kept>> ZoneFile::load(ByteSpan zone) {
    behind_ = 0;
    const auto nothing = [] {
        return Result<std::optional<Kept>>(boost::system::in_place_value, std::nullopt);
    };
    if (file_.empty()) return nothing();
    auto content = content_of(file_);
    if (!content) return content.error();
    if (!*content) return nothing();
    const auto damaged = [this](const std::string& why) {
        (void)keep_damaged(journal());
        return Error{file_ + " is damaged (" + why + "): " + keep_damaged(file_) +
                     ", and the zone is transferred again"};
    };
    Cutter from(**content);
    const ByteSpan mark = from.take(kImageMark.size());
    if (!is_text(mark, kImageMark)) return damaged("it has another format");
    const ByteSpan name = from.take(from.number(1));
    const ByteSpan digest = from.take(kDigestBytes);
    if (from.is_cut()) return damaged("it is cut off");
    if (!std::ranges::equal(name, zone)) return nothing();  // of an earlier configuration
    if (!std::ranges::equal(sha256(from.rest()), digest)) return damaged("its digest is wrong");
    digest_.assign(digest.begin(), digest.end());
    Kept kept;
    kept.checked_s = changed_s(file_);
    const std::size_t head = (*content)->size() - from.rest().size();
    (*content)->erase((*content)->begin(), (*content)->begin() + static_cast<std::ptrdiff_t>(head));
    auto image = ZoneImage::from_stored(std::move(**content), zone);
    if (!image) return damaged(image.error().text);
    kept.image = *std::move(image);
    load_journal(kept);
    return {boost::system::in_place_value, std::move(kept)};
}

void ZoneFile::load_journal(Kept& kept) {
    journal_bytes_ = 0;
    const auto content = content_of(journal());
    if (!content || !*content) return;
    Cutter from(**content);
    const ByteSpan mark = from.take(kJournalMark.size());
    const ByteSpan digest = from.take(kDigestBytes);
    const bool is_ours =
        !from.is_cut() && std::ranges::equal(digest, digest_) && is_text(mark, kJournalMark);
    if (!is_ours) return;  // of the image before
    journal_bytes_ = (**content).size() - from.rest().size();
    while (!from.rest().empty()) {
        const ByteSpan bytes = from.take(from.number(4));
        const ByteSpan check = from.take(kDigestBytes);
        if (from.is_cut() || !std::ranges::equal(sha256(bytes), check)) break;
        auto differences = decode_differences(bytes);
        if (!differences) {  // whole, and yet wrong
            set_journal_aside("a change in it cannot be read");
            break;
        }
        kept.changes.push_back(*std::move(differences));
        journal_bytes_ = (**content).size() - from.rest().size();
    }
}

void ZoneFile::set_journal_aside(const std::string& why) {
    journal_bytes_ = 0;
    (void)fall_behind(journal() + " is damaged (" + why + "): " + keep_damaged(journal()) +
                      ", and the zone lacks its changes until the next transfer");
}

Error ZoneFile::fall_behind(std::string why) {
    ++behind_;
    error_ = std::move(why);
    return Error{error_};
}

Result<void> ZoneFile::save(ByteSpan zone, const ZoneImage& image) {
    if (file_.empty()) return {};
    Bytes digest = sha256(image.stored());
    Bytes head;
    put_text(head, kImageMark);
    head.push_back(static_cast<std::uint8_t>(zone.size()));
    put_bytes(head, zone);
    put_bytes(head, digest);
    make_folder_of(file_);
    NewFile draft(file_);
    draft.write(head.data(), head.size());
    draft.write(image.stored().data(), image.stored().size());
    if (!draft.replace(NewFile::kForOwner)) return fall_behind(draft.failure().text);
    digest_ = std::move(digest);
    ::unlink(journal().c_str());
    journal_bytes_ = 0;
    behind_ = 0;
    error_.clear();
    return {};
}

Result<void> ZoneFile::append(const std::vector<ZoneDifference>& differences) {
    if (file_.empty()) return {};
    if (behind_ > 0) return fall_behind(std::exchange(error_, {}));
    Bytes out;
    if (journal_bytes_ == 0) {
        put_text(out, kJournalMark);
        put_bytes(out, digest_);
    }
    const Bytes bytes = encode_differences(differences);
    put32(out, static_cast<std::uint32_t>(bytes.size()));
    put_bytes(out, bytes);
    put_bytes(out, sha256(bytes));
    const std::string file = journal();
    const Descriptor fd(::open(file.c_str(),
                               O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                               NewFile::kForOwner));
    const auto failed = [&] {
        return fall_behind(file + " cannot be written: " + std::strerror(errno));
    };
    if (fd.get() < 0) return failed();
    // Behind the last whole change.
    if (::ftruncate(fd.get(), static_cast<off_t>(journal_bytes_)) != 0) return failed();
    for (std::size_t at = 0; at < out.size();) {
        const ssize_t n = ::pwrite(fd.get(), out.data() + at, out.size() - at,
                                   static_cast<off_t>(journal_bytes_ + at));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return failed();
        at += static_cast<std::size_t>(n);
    }
    if (::fdatasync(fd.get()) != 0) return failed();
    if (journal_bytes_ == 0) sync_folder_of(file);
    journal_bytes_ += out.size();
    touch();
    return {};
}

void ZoneFile::touch() const {
    if (!file_.empty()) (void)::utimensat(AT_FDCWD, file_.c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
}

void write_zone_text(const ZoneContents& zone, const std::function<void(std::string_view)>& write) {
    std::string text;
    const auto put_record = [&](const std::string& owner, const ZoneRecord& record) {
        text += owner + " " + std::to_string(record.ttl_s) + " IN " + ops::type_name(record.type) +
                " " + rdata_text(record) + "\n";
        if (text.size() < kTextPiece) return;
        write(text);
        text.clear();
    };
    const std::string apex = absolute(zone.zone());
    text += "; Written by steerdnsd after each transfer of this zone.\n$ORIGIN " + apex + "\n";
    if (const auto soa = zone.find(zone.zone()).find(dns::kSoa)) put_record(apex, *soa);
    zone.for_each([&](ByteSpan name, OwnerRecords records) {
        const std::string owner = absolute(name);
        records.for_each([&](const ZoneRecord& record) {
            if (record.type != dns::kSoa) put_record(owner, record);
        });
    });
    write(text);
}

Result<void> save_zone_text(const std::string& file, const ZoneContents& zone) {
    make_folder_of(file);
    NewFile draft(file);
    write_zone_text(zone, [&](std::string_view text) { draft.write(text); });
    if (!draft.replace(NewFile::kForAll)) return draft.failure();
    return {};
}

}  // namespace steer::transfer
