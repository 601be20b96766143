"""The built-in table of Python 3.11, which shows on machines that have no table of their own."""

from _wptserve_mends import run_original

run_original(globals())
del run_original

# Types that have come since, or have moved into the strict table.
for _added in (
    ".7z .apk .deb .docx .emf .eot .epub .fits .flac .g3 .glb .gltf .gz .jp2 .jpm .jpx .m4a .m4v .markdown .md .mk3d .mka .mkv "
    ".odg .odp .ods .odt .ogg .ogv .ogx .otf .php .pptx .rar .rpm .rst .rtf .stl .t38 .tfx .ttf .weba .webp .wmf .wmv .woff "
    ".woff2 .xlsx .yaml .yml"
).split():
    types_map.pop(_added, None)
    common_types.pop(_added, None)
del _added
types_map.update(
    {
        ".avi": "video/x-msvideo",
        ".js": "application/javascript",
        ".mjs": "application/javascript",
        ".wav": "audio/x-wav",
    }
)
common_types.update({".rtf": "application/rtf", ".webp": "image/webp"})
