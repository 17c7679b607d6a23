#include "capture_file.h"

#include <pcap/pcap.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <span>

namespace steerctl {
namespace {

using Capture = std::unique_ptr<pcap_t, decltype(&pcap_close)>;

std::optional<LinkType> link_type_of(int number) {
    switch (number) {
        case DLT_EN10MB:
            return LinkType::ethernet;
        case DLT_RAW:
        case DLT_IPV4:
        case DLT_IPV6:
            return LinkType::raw_ip;
        case DLT_LINUX_SLL:
            return LinkType::linux_cooked;
        case DLT_LINUX_SLL2:
            return LinkType::linux_cooked2;
        default:
            return std::nullopt;
    }
}

std::string name_of(int link_type) {
    const char* const name = pcap_datalink_val_to_name(link_type);
    return name != nullptr ? name : std::to_string(link_type);
}

CaptureFile failed(std::string why) {
    return {.error = std::move(why)};
}

// `in` is open.
CaptureFile read_open(const std::string& file, std::FILE* in, CapturedQueries& queries) {
    const int first = std::fgetc(in);
    if (first == EOF) {
        const std::string why = std::ferror(in) != 0
                                    ? " cannot be read: " + std::string(std::strerror(errno))
                                    : " is empty; expected a capture, pcap or pcapng";
        if (in != stdin) std::fclose(in);
        return failed(file + why);
    }
    std::ungetc(first, in);
    std::array<char, PCAP_ERRBUF_SIZE> why{};
    // It closes `in`, unless that is standard input.
    const Capture capture(pcap_fopen_offline(in, why.data()), &pcap_close);
    if (!capture) {
        if (in != stdin) std::fclose(in);
        return failed(file + " is not a capture: " + why.data() +
                      "; expected pcap or pcapng, not compressed");
    }
    const int number = pcap_datalink(capture.get());
    const auto link = link_type_of(number);
    if (!link)
        return failed(file + " has frames of type " + name_of(number) +
                      "; expected Ethernet, raw IP or Linux cooked frames");
    CaptureFile out;
    for (;;) {
        pcap_pkthdr* header = nullptr;
        const u_char* bytes = nullptr;
        const int code = pcap_next_ex(capture.get(), &header, &bytes);
        if (code == PCAP_ERROR_BREAK) return out;
        if (code != 1) {
            out.read_error = pcap_geterr(capture.get());
            return out;
        }
        constexpr double kMicroseconds = 1e6;
        const double at_s = static_cast<double>(header->ts.tv_sec) +
                            static_cast<double>(header->ts.tv_usec) / kMicroseconds;
        if (queries.counts().frames == 0) out.from_s = at_s;
        out.to_s = std::max(out.to_s, at_s);
        queries.add(*link, {bytes, header->caplen});
    }
}

}  // namespace

CaptureFile read_capture(const std::string& file, CapturedQueries& queries) {
    if (file == "-") return read_open("standard input", stdin, queries);
    std::FILE* const in = std::fopen(file.c_str(), "rbe");
    if (in == nullptr) return failed(file + " cannot be read: " + std::strerror(errno));
    return read_open(file, in, queries);
}

}  // namespace steerctl
