#include "control/cache/dump_file.h"

#include <fcntl.h>
#include <rte_config.h>
#include <rte_hash_crc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "control/host/process/regular_file.h"
#include "dataplane/dns/checksum.h"
#include "dataplane/dns/name.h"
#include "matchers/quote.h"

namespace steer {
namespace {

constexpr std::array<char, 8> kMagic{'S', 't', 'e', 'e', 'r', 'C', 'c', 'h'};
// 1 was without hits and visited, 2 without Answer::has_hints, 3 without has_additional, 4 without
// error_after.
constexpr std::uint32_t kVersion = 5;
// The answers are stored as they lie in memory.
static_assert(sizeof(dns::Answer) == 28, "another layout of answers is another version");

constexpr std::size_t kBlockBytes = std::size_t{1} << 20;
constexpr std::uint32_t kMaxBlock = 2U << 20;
constexpr std::uint64_t kClocksDifferMs = 60'000;  // a dump may be that much from the future

struct FileStart {
    std::array<char, 8> magic = kMagic;
    std::uint32_t version = kVersion;
    std::uint32_t reserved = 0;
};
static_assert(sizeof(FileStart) == 16);

enum class BlockKind : std::uint32_t { header = 1, answers = 2, end = 3 };
struct BlockStart {
    std::uint32_t length, checksum;
};
struct DumpHeader {
    std::uint64_t wall_ms;
    std::uint32_t lists;
    std::uint32_t kind = static_cast<std::uint32_t>(BlockKind::header);
};
struct DumpEnd {
    std::uint64_t answers;
    std::uint32_t reserved = 0;
    std::uint32_t kind = static_cast<std::uint32_t>(BlockKind::end);
};

std::uint32_t checksum(std::span<const std::uint8_t> bytes) {
    return rte_hash_crc(bytes.data(), static_cast<std::uint32_t>(bytes.size()), 0x5354U);
}

// Takes parts off the front of a block, and remembers an overrun.
class Cursor {
  public:
    explicit Cursor(std::span<const std::uint8_t> bytes) : rest_(bytes) {}

    template <class T>
    bool get(T& out) {
        const auto bytes = take(sizeof(T));
        if (good_) std::memcpy(&out, bytes.data(), sizeof(T));
        return good_;
    }
    std::span<const std::uint8_t> take(std::size_t n) {
        if (n > rest_.size()) good_ = false;
        if (!good_) return {};
        const auto part = rest_.first(n);
        rest_ = rest_.subspan(n);
        return part;
    }
    std::string text() {
        std::uint16_t length = 0;
        get(length);
        const auto bytes = take(length);
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
    [[nodiscard]] bool good() const { return good_; }
    [[nodiscard]] bool empty() const { return rest_.empty(); }

  private:
    std::span<const std::uint8_t> rest_;
    bool good_ = true;
};

constexpr std::size_t aligned(std::size_t n) {
    return (n + 7) & ~std::size_t{7};
}

}  // namespace

bool is_sound_answer(std::span<const std::uint8_t> bytes) {
    // Of a record around its TTL: type and class before it, the length of its data behind it.
    constexpr std::size_t kMinOwner = 1, kBeforeTtl = 4, kLengthAfterTtl = 4, kDataAfterTtl = 6;
    if (bytes.size() < sizeof(dns::Answer)) return false;
    const auto& answer = *reinterpret_cast<const dns::Answer*>(bytes.data());
    if (answer.size() != bytes.size() || answer.rcode > 15 ||
        answer.ancount + answer.nscount + answer.arcount != answer.ttl_count)
        return false;
    std::size_t end = 0;  // of the record before
    for (unsigned i = 0; i < answer.ttl_count; ++i) {
        const std::size_t ttl = answer.ttl_offsets()[i];
        if (ttl < end + kMinOwner + kBeforeTtl || ttl + kDataAfterTtl > answer.body_len)
            return false;
        end = ttl + kDataAfterTtl + dns::load_be16(answer.body() + ttl + kLengthAfterTtl);
        if (end > answer.body_len) return false;
    }
    for (unsigned i = 0; i < answer.address_count; ++i) {
        const dns::AddressRef& ref = answer.addresses()[i];
        if (ref.rdata_offset + (ref.is_v6 != 0 ? 16U : 4U) > answer.body_len) return false;
    }
    return answer.body_sum == checksum_fold(checksum_add(0, answer.body(), answer.body_len));
}

// ---- writing

namespace {

// Why a dump may not replace the file; empty: it may, because there is no file, an empty one or a dump.
std::string why_not_replaceable(const std::string& path) {
    struct stat is {};
    if (::lstat(path.c_str(), &is) != 0) return errno == ENOENT ? "" : std::strerror(errno);
    const Descriptor fd = S_ISREG(is.st_mode) ? open_regular(path, O_NOFOLLOW) : Descriptor(-1);
    if (!S_ISREG(is.st_mode)) return "it is not a regular file";
    if (fd.get() < 0) return std::strerror(errno);
    std::array<char, kMagic.size()> start{};
    if (is.st_size == 0 || (read_fully(fd.get(), start.data(), start.size()) && start == kMagic))
        return {};
    return "it is not a dump of a cache";
}

}  // namespace

Result<std::unique_ptr<DumpWriter>> DumpWriter::create(const std::string& path,
                                                       const DumpContents& contents) {
    if (const std::string why = why_not_replaceable(path); !why.empty()) {
        return Error{"the cache cannot be dumped to " + path + ": " + why +
                     "; remove it, or name another file"};
    }
    NewFile::remove_left(path);
    NewFile file(path);
    if (!file.good()) {
        return Error{"the cache cannot be dumped to " + path + ": " + file.why() +
                     "; the folder must exist and be writable for the user that steerdnsd runs as"};
    }
    std::unique_ptr<DumpWriter> writer(new DumpWriter(path, std::move(file)));
    const FileStart start;
    writer->file_.write(&start, sizeof start);
    writer->put(DumpHeader{contents.wall_ms, static_cast<std::uint32_t>(contents.lists.size())});
    const auto put_text = [&](const std::string& text) {
        writer->put(static_cast<std::uint16_t>(text.size()));
        writer->put_bytes({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    };
    put_text(contents.instance);
    for (const auto& [tag, router] : contents.lists) {
        put_text(tag);
        put_text(router);
    }
    writer->end_block();
    return writer;
}

DumpWriter::DumpWriter(std::string path, NewFile file)
    : path_(std::move(path)), file_(std::move(file)) {
    block_.reserve(kMaxBlock);
}

template <class T>
void DumpWriter::put(const T& value) {
    put_bytes({reinterpret_cast<const std::uint8_t*>(&value), sizeof value});
}

void DumpWriter::put_bytes(std::span<const std::uint8_t> bytes) {
    block_.insert(block_.end(), bytes.begin(), bytes.end());
}

void DumpWriter::end_block() {
    if (block_.empty()) return;
    const BlockStart start{static_cast<std::uint32_t>(block_.size()), checksum(block_)};
    file_.write(&start, sizeof start);
    file_.write(block_.data(), block_.size());
    block_.clear();
}

void DumpWriter::add(const DumpedAnswer& answer) {
    put(answer.record);
    put_bytes(
        {reinterpret_cast<const std::uint8_t*>(answer.lists.data()), answer.lists.size_bytes()});
    put_bytes(answer.name);
    // Answers are read where they lie, so they begin at a multiple of 8.
    block_.resize(aligned(block_.size()));
    put_bytes(answer.answer);
    block_.resize(aligned(block_.size()));
    ++answers_;
}

void DumpWriter::write_out() {
    if (block_.size() >= kBlockBytes) end_block();
}

Result<std::uint64_t> DumpWriter::finish() {
    end_block();
    put(DumpEnd{.answers = answers_});
    end_block();
    if (!file_.replace(NewFile::kForOwner)) {
        return Error{"the cache could not be dumped to " + path_ + ": " + file_.why() +
                     "; what was there before is untouched"};
    }
    return answers_;
}

// ---- reading

bool DumpReader::missing(const std::string& path) {
    return ::access(path.c_str(), F_OK) != 0 && errno == ENOENT;
}

Error DumpReader::torn() const {
    return Error{"the dump " + path_ +
                 " is not whole (cut off, or changed on the disk): nothing is restored"};
}

Result<std::unique_ptr<DumpReader>> DumpReader::open(const std::string& path,
                                                     const std::string& instance,
                                                     std::uint64_t now_wall_ms) {
    Descriptor fd = open_regular(path);
    if (fd.get() < 0) {
        return Error{"the dump " + path + " cannot be read: " + why_not_open(errno) +
                     "; nothing is restored"};
    }
    std::unique_ptr<DumpReader> reader(new DumpReader(path, std::move(fd)));
    if (auto good = reader->check(instance, now_wall_ms); !good) return good.error();
    return reader;
}

bool DumpReader::read_block() {
    BlockStart start{};
    if (!read_fully(fd_.get(), &start, sizeof start) || start.length == 0 ||
        start.length > kMaxBlock)
        return false;
    block_.resize(start.length);
    return read_fully(fd_.get(), block_.data(), block_.size()) &&
           checksum(block_) == start.checksum;
}

Result<void> DumpReader::check(const std::string& instance, std::uint64_t now_wall_ms) {
    FileStart start{};
    const bool read = read_fully(fd_.get(), &start, sizeof start);
    if (!read || start.magic != kMagic) {
        return Error{"the dump " + path_ + " is not a dump of steerdnsd: nothing is restored"};
    }
    if (start.version != kVersion) {
        return Error{"the dump " + path_ + " has version " + std::to_string(start.version) +
                     ", and this steerdnsd reads version " + std::to_string(kVersion) +
                     ": nothing is restored"};
    }
    if (start.reserved != 0 || !read_block()) return torn();
    Cursor cursor(block_);
    DumpHeader header{};
    cursor.get(header);
    contents_.wall_ms = header.wall_ms;
    contents_.instance = cursor.text();
    for (std::uint32_t i = 0; i < header.lists && cursor.good(); ++i) {
        std::string tag = cursor.text();
        contents_.lists.emplace_back(std::move(tag), cursor.text());
    }
    if (!cursor.good() || !cursor.empty()) return torn();
    if (contents_.instance != instance) {
        return Error{"the dump " + path_ + " belongs to cache " +
                     matchers::quoted(contents_.instance) + ", not to " +
                     matchers::quoted(instance) +
                     ": nothing is restored; give each cache a dump_file of its own"};
    }
    if (contents_.wall_ms > now_wall_ms + kClocksDifferMs) {
        return Error{"the dump " + path_ +
                     " was written in the future, so the age of its answers is unknown: nothing is "
                     "restored; check the clock of this machine"};
    }
    return walk(nullptr);
}

Result<void> DumpReader::each(const std::function<void(const DumpedAnswer&)>& visit) {
    if (::lseek(fd_.get(), sizeof(FileStart), SEEK_SET) < 0 || !read_block()) return torn();
    return walk(&visit);
}

// Checks all blocks after the header; `visit` (may be nullptr) gets each answer. The first pass has no visitor: a
// damaged file restores nothing. The file may change between the passes.
Result<void> DumpReader::walk(const std::function<void(const DumpedAnswer&)>* visit) {
    std::uint64_t seen = 0;
    std::array<std::uint16_t, 256> lists{};
    for (;;) {
        if (!read_block()) return torn();
        Cursor cursor(block_);
        if (DumpEnd end{}; block_.size() == sizeof end) {
            cursor.get(end);
            if (end.answers != seen || end.kind != static_cast<std::uint32_t>(BlockKind::end))
                return torn();
            std::uint8_t more = 0;
            if (read_fully(fd_.get(), &more, 1)) return torn();
            answers_ = seen;
            return {};
        }
        std::size_t at = 0;
        while (!cursor.empty()) {
            DumpedAnswer dumped;
            cursor.get(dumped.record);
            const DumpRecord& r = dumped.record;
            const auto list_bytes = cursor.take(r.list_count * sizeof(std::uint16_t));
            dumped.name = cursor.take(r.name_len);
            at += sizeof r + list_bytes.size() + dumped.name.size();
            cursor.take(aligned(at) - at);
            at = aligned(at);
            dumped.answer = cursor.take(r.answer_bytes);
            at += r.answer_bytes;
            cursor.take(aligned(at) - at);
            at = aligned(at);
            if (!cursor.good() || r.ecs_len > r.name_len) return torn();
            if (!list_bytes.empty())
                std::memcpy(lists.data(), list_bytes.data(), list_bytes.size());
            dumped.lists = std::span(lists).first(r.list_count);
            for (const std::uint16_t list : dumped.lists) {
                if (list >= contents_.lists.size()) return torn();
            }
            const std::size_t name_len = r.name_len - std::size_t{r.ecs_len};
            if (!dns::is_plain_name(dumped.name.first(name_len)) || !is_sound_answer(dumped.answer))
                return torn();
            ++seen;
            if (visit != nullptr) (*visit)(dumped);
        }
    }
}

}  // namespace steer
